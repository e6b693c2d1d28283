//! How a person stands in somebody's list.

use vireo_protocol::{ChatId, Contact, ContactStatus, Presence, User, UserId};

use crate::store::Account;

/// A person in somebody's list, without their presence, which the database does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// The person.
    pub account: Account,
    /// The name they show, where the owner of the list may know it.
    pub display_name: Option<String>,
    /// The ETag of their picture, where the owner of the list may see it.
    pub avatar: Option<String>,
    /// How the two stand to each other.
    pub status: ContactStatus,
    /// The chat they share, once they are contacts.
    pub chat_id: Option<ChatId>,
    /// When the person's last device went, where the owner of the list may know it.
    pub last_seen_at: Option<i64>,
}

/// Somebody's list, or a part of it, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactList {
    /// Everyone in it.
    pub rows: Vec<ContactRow>,
    /// `users.contacts_version` of whose list it is.
    pub version: i64,
}

/// A row of the query: id, name, service, version, last seen, added, added by, blocked, blocked by, chat, display name,
/// avatar.
#[rustfmt::skip]
pub(super) type Row = (String, String, i64, i64, Option<i64>, i64, i64, i64, i64, Option<String>, Option<String>, Option<String>);

impl ContactList {
    /// The first row is the reader's own. Without it there is no such person, and nobody in the list.
    pub(super) fn read(rows: Vec<Row>) -> Self {
        let mut rows = rows.into_iter();
        match rows.next() {
            Some((_, _, _, version, ..)) => Self {
                rows: rows.map(contact_row).collect(),
                version,
            },
            None => Self::default(),
        }
    }
}

fn contact_row(row: Row) -> ContactRow {
    #[rustfmt::skip]
    let (id, name, service, _, last_seen_at, added, added_by, blocked, blocked_by, chat, display_name, avatar) = row;
    let service = service != 0;
    let status = match (service, blocked != 0, added != 0, added_by != 0) {
        (true, ..) | (_, false, true, true) => ContactStatus::Contact,
        (_, true, ..) => ContactStatus::Blocked,
        (_, _, true, false) => ContactStatus::Requested,
        (_, _, false, _) => ContactStatus::Incoming,
    };
    let is_contact = status == ContactStatus::Contact;
    let user = User {
        id: UserId(id),
        name,
    };
    ContactRow {
        account: Account { user, service },
        // What somebody shows is for those whom they have added.
        display_name: display_name.filter(|_| added_by != 0),
        avatar: avatar.filter(|_| added_by != 0),
        status,
        chat_id: chat.map(ChatId).filter(|_| is_contact),
        last_seen_at: last_seen_at.filter(|_| is_contact && blocked_by == 0),
    }
}

impl From<ContactRow> for Contact {
    /// The entry as the wire has it, offline until somebody who knows says otherwise.
    fn from(row: ContactRow) -> Self {
        Self {
            user_id: row.account.user.id,
            name: row.account.user.name,
            display_name: row.display_name,
            avatar: row.avatar,
            status: row.status,
            chat_id: row.chat_id,
            presence: Presence::Offline,
            last_seen_at: row.last_seen_at,
            service: row.account.service,
        }
    }
}
