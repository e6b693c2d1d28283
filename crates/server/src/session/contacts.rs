//! What a connection asks about people: its list, and every change of it.

use std::collections::HashMap;
use std::time::Duration;

use vireo_protocol::{Contact, ErrorCode, ServerMessage, UserId};

use super::{Asked, Session, take};
use crate::rate::Limit;
use crate::store::{Change, ContactError, ContactRow, StoreError};
use crate::watchers::{changed, removed};

/// Enough to tidy a list up, too little to look for people by trying names.
pub const CONTACT_CHANGES: Limit = Limit {
    capacity: 60,
    period: Duration::from_secs(5),
};

impl Session {
    /// Sends the list. When it has changed before it was on its way, the news of that may have gone ahead of it, and would
    /// be undone by it: then what is different now is said once more.
    pub(super) async fn list_contacts(&self, asked: Asked) -> Result<(), StoreError> {
        let me = &self.account.user.id;
        let store = &self.state.store;
        let mut sent = store.contacts(me).await?;
        let message = ServerMessage::Contacts {
            id: asked.id,
            contacts: sent.rows.iter().cloned().map(Contact::from).collect(),
        };
        self.reply(asked.device, message).await;
        while store.contacts_version(me).await? != sent.version {
            let now = store.contacts(me).await?;
            for message in differences(&sent.rows, &now.rows) {
                self.reply(asked.device, message).await;
            }
            sent = now;
        }
        Ok(())
    }

    /// Carries out a change, tells the devices of those whose lists are changed by it, and answers.
    pub(super) async fn change_contacts(
        &self,
        asked: Asked,
        change: impl Future<Output = Result<Change, ContactError>>,
    ) -> Result<(), StoreError> {
        let me = &self.account.user.id;
        if let Err(wait) = take(&self.state.contact_changes, me) {
            self.refuse_too_many(asked.id, None, wait);
            return Ok(());
        }
        let change = match change.await {
            Ok(change) => change,
            Err(ContactError::Store(error)) => return Err(error),
            Err(error) => {
                let (code, sentence) = explain(&error);
                self.refuse(Some(asked.id), code, sentence);
                return Ok(());
            }
        };
        let other = &change.other;
        if change.mine || change.theirs {
            self.state.watchers(me).await?;
            self.state.watchers(other).await?;
        }
        if change.mine {
            self.state.tell_of(me, other).await?;
        }
        if change.theirs {
            self.state.tell_of(other, me).await?;
        }
        self.answer_with(asked, other).await
    }

    /// Answers with how the other one stands in this person's list.
    async fn answer_with(&self, asked: Asked, other: &UserId) -> Result<(), StoreError> {
        let me = &self.account.user.id;
        let store = &self.state.store;
        let list = store.contact(me, other).await?;
        let message = match list.rows.into_iter().next() {
            Some(row) => ServerMessage::Contact {
                id: Some(asked.id),
                contact: row.into(),
            },
            None => ServerMessage::Ok { id: asked.id },
        };
        self.reply(asked.device, message).await;
        match store.contacts_version(me).await? == list.version {
            true => Ok(()),
            false => self.state.tell_of(me, other).await,
        }
    }
}

/// What turns one list into the other.
fn differences(old: &[ContactRow], new: &[ContactRow]) -> Vec<ServerMessage> {
    let by_id = |rows: &'_ [ContactRow]| -> HashMap<UserId, ContactRow> {
        let rows = rows.iter().cloned();
        rows.map(|row| (row.account.user.id.clone(), row)).collect()
    };
    let (old, new) = (by_id(old), by_id(new));
    let gone = old.keys().filter(|id| !new.contains_key(id)).map(removed);
    let come = new.iter().filter(|(id, row)| old.get(id) != Some(row));
    gone.chain(come.map(|(_, row)| changed(row.clone())))
        .collect()
}

fn explain(error: &ContactError) -> (ErrorCode, &'static str) {
    match error {
        ContactError::UnknownUser => (
            ErrorCode::UnknownUser,
            "There is nobody of this name here. Please check the spelling.",
        ),
        ContactError::Yourself => (
            ErrorCode::OwnName,
            "This is your own name. Please enter somebody else's.",
        ),
        ContactError::NoSuchRequest => (
            ErrorCode::NoSuchRequest,
            "This request is not there any more. Please add the person yourself.",
        ),
        ContactError::TooMany => (
            ErrorCode::TooManyContacts,
            "You have too many contacts, or requests that nobody has answered. Please remove some first.",
        ),
        // Whom the other one has to do with is nobody's business.
        ContactError::NotNow => (
            ErrorCode::NotNow,
            "This person cannot be asked at the moment. Please try again another day, or let them ask you.",
        ),
        ContactError::Store(_) => (
            ErrorCode::Internal,
            "Something went wrong on the server. Please try again.",
        ),
    }
}
