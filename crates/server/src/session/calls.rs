//! What a connection asks about calls: its sender has to belong to the chat, and what it carries has to be well-formed.

use vireo_protocol::{CallErrorCode, ChatId, ClientMessage, SdpType};

use super::{Session, take};
use crate::calls::{DeviceId, Ids, Offer};
use crate::check::{candidate_is_valid, description_is_valid};
use crate::store::{Partner, Standing, StoreError};
use crate::switchboard::{CallCommand, Command, call_error};

impl Session {
    /// A message about a call: its sender has to be a member of the chat, and what it carries has to be well-formed.
    pub(super) async fn call(
        &self,
        id: u64,
        device: DeviceId,
        message: ClientMessage,
    ) -> Result<(), StoreError> {
        let Some(ids) = ids_of(&message) else {
            return Ok(()); // Everything else has been seen to.
        };
        let refuse = |code| {
            self.queue.push(call_error(id, ids.clone(), code));
            Ok(())
        };
        if let Some(code) = problem_with(&message) {
            return refuse(code);
        }
        let call = match message {
            ClientMessage::CallInitiate {
                call_id,
                chat_id,
                offer,
                media_state,
            } => {
                if let Err(wait) = take(&self.state.calls_begun, &self.account.user.id) {
                    self.refuse_too_many(id, Some(ids), wait);
                    return Ok(());
                }
                let partner = match self.partner(&chat_id).await? {
                    Some(partner) => partner,
                    None => return refuse(CallErrorCode::AccessDenied),
                };
                match partner.standing {
                    Standing::Contact => {}
                    Standing::Stranger => return refuse(CallErrorCode::AccessDenied),
                    // As if nobody were there: who is blocked does not hear of it.
                    Standing::Blocked => return refuse(CallErrorCode::UserOffline),
                }
                let partner = partner.account;
                let offer = Offer {
                    call_id,
                    chat_id,
                    offer,
                    media_state,
                };
                CallCommand::Initiate { partner, offer }
            }
            message => {
                if !self.is_member(&ids.1).await? {
                    return refuse(CallErrorCode::AccessDenied);
                }
                CallCommand::Other(message)
            }
        };
        let command = Command::Call {
            device,
            request: id,
            call,
        };
        self.state.switchboard.send(command).await;
        Ok(())
    }

    /// The other member of the chat, as the database knows it now.
    async fn partner(&self, chat: &ChatId) -> Result<Option<Partner>, StoreError> {
        if !chat.is_well_formed() {
            return Ok(None);
        }
        let user = &self.account.user.id;
        let partner = self.state.store.partner(chat, user).await?;
        if let Some(partner) = &partner {
            let other = &partner.account.user.id;
            self.state.members.remember(chat, [user, other]);
        }
        Ok(partner)
    }

    /// Whether the person is a member of the chat. Who is no contact any more still is, and can hang up.
    async fn is_member(&self, chat: &ChatId) -> Result<bool, StoreError> {
        match self.state.members.know(chat, &self.account.user.id) {
            true => Ok(true),
            false => Ok(self.partner(chat).await?.is_some()),
        }
    }
}

/// The call a message is about; nothing when it is not about one.
pub(super) fn ids_of(message: &ClientMessage) -> Option<Ids> {
    use ClientMessage as M;
    match message {
        M::Hello { .. }
        | M::ContactsList {}
        | M::ContactsAdd { .. }
        | M::ContactsAccept { .. }
        | M::ContactsDecline { .. }
        | M::ContactsRemove { .. }
        | M::ContactsBlock { .. }
        | M::ContactsUnblock { .. }
        | M::PresenceSet { .. }
        | M::PresenceDoNotDisturb { .. }
        | M::CallsHistory { .. } => None,
        M::CallInitiate {
            call_id, chat_id, ..
        }
        | M::CallRinging { call_id, chat_id }
        | M::CallAnswer {
            call_id, chat_id, ..
        }
        | M::CallIceCandidate {
            call_id, chat_id, ..
        }
        | M::CallMediaState {
            call_id, chat_id, ..
        }
        | M::CallRestart {
            call_id, chat_id, ..
        }
        | M::CallEnd {
            call_id, chat_id, ..
        }
        | M::CallReject {
            call_id, chat_id, ..
        } => Some((call_id.clone(), chat_id.clone())),
    }
}

/// What is wrong with a message about a call, whoever sends it.
fn problem_with(message: &ClientMessage) -> Option<CallErrorCode> {
    use ClientMessage as M;
    match message {
        M::CallInitiate { offer, .. } if !description_is_valid(offer, SdpType::Offer) => {
            Some(CallErrorCode::InvalidSdp)
        }
        M::CallAnswer { answer, .. } if !description_is_valid(answer, SdpType::Answer) => {
            Some(CallErrorCode::InvalidSdp)
        }
        M::CallRestart {
            description: Some(description),
            ..
        } if !description_is_valid(description, description.kind) => {
            Some(CallErrorCode::InvalidSdp)
        }
        M::CallIceCandidate { candidate, .. } if !candidate_is_valid(candidate) => {
            Some(CallErrorCode::InvalidCandidate)
        }
        _ => None,
    }
}
