//! The list of contacts, kept up to date by what the server says.

use vireo_protocol::{ChatId, ClientMessage, Contact, ContactStatus, Presence, UserId};

/// A change of the list that the server is asked for.
#[derive(Debug, Clone)]
pub(crate) enum ContactChange {
    Add { name: String },
    Accept(UserId),
    Decline(UserId),
    Remove(UserId),
    Block(UserId),
    Unblock(UserId),
}

impl ContactChange {
    /// The request.
    pub(crate) fn message(&self) -> ClientMessage {
        match self.clone() {
            Self::Add { name } => ClientMessage::ContactsAdd { name },
            Self::Accept(user_id) => ClientMessage::ContactsAccept { user_id },
            Self::Decline(user_id) => ClientMessage::ContactsDecline { user_id },
            Self::Remove(user_id) => ClientMessage::ContactsRemove { user_id },
            Self::Block(user_id) => ClientMessage::ContactsBlock { user_id },
            Self::Unblock(user_id) => ClientMessage::ContactsUnblock { user_id },
        }
    }

    /// Whom it is about; only the server knows who has a name.
    pub(crate) fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::Add { .. } => None,
            Self::Accept(user_id)
            | Self::Decline(user_id)
            | Self::Remove(user_id)
            | Self::Block(user_id)
            | Self::Unblock(user_id) => Some(user_id),
        }
    }

    /// The name that was given, where it was one.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Add { name } => name,
            _ => "",
        }
    }
}

/// Puts a person into the list, or replaces what was known of them.
pub(crate) fn put(contacts: &mut Vec<Contact>, contact: Contact) {
    match contacts
        .iter_mut()
        .find(|known| known.user_id == contact.user_id)
    {
        Some(known) => *known = contact,
        None => contacts.push(contact),
    }
    sort(contacts);
}

/// Services first, then by name, upper and lower case aside.
pub(crate) fn sort(contacts: &mut [Contact]) {
    contacts.sort_by_cached_key(|contact| (!contact.service, contact.name.to_lowercase()));
}

/// Takes a person out of the list.
pub(crate) fn remove(contacts: &mut Vec<Contact>, user_id: &UserId) {
    contacts.retain(|contact| contact.user_id != *user_id);
}

/// Notes how somebody can be reached now, and since when they cannot.
pub(crate) fn set_presence(
    contacts: &mut [Contact],
    user_id: &UserId,
    presence: Presence,
    last_seen_at: Option<i64>,
) {
    for contact in contacts {
        if contact.user_id == *user_id {
            contact.presence = presence;
            contact.last_seen_at = last_seen_at;
        }
    }
}

/// The person to call in this chat; none where the two have not added each other.
pub(crate) fn callable<'a>(contacts: &'a [Contact], chat_id: &ChatId) -> Option<&'a Contact> {
    contacts.iter().find(|contact| {
        contact.status == ContactStatus::Contact && contact.chat_id.as_ref() == Some(chat_id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str, name: &str) -> Contact {
        Contact {
            user_id: UserId(id.to_owned()),
            name: name.to_owned(),
            display_name: None,
            avatar: None,
            status: ContactStatus::Contact,
            chat_id: Some(ChatId(format!("chat-{id}"))),
            presence: Presence::Offline,
            last_seen_at: None,
            service: name == "Echo test",
        }
    }

    #[test]
    fn the_list_is_sorted_and_has_everyone_once() {
        let mut list = Vec::new();
        for (id, name) in [
            ("1", "zoe"),
            ("2", "Bob"),
            ("3", "Echo test"),
            ("2", "bert"),
        ] {
            put(&mut list, contact(id, name));
        }
        let names: Vec<&str> = list.iter().map(|contact| contact.name.as_str()).collect();
        assert_eq!(names, ["Echo test", "bert", "zoe"]);
    }

    #[test]
    fn presence_reaches_the_right_person() {
        let mut list = vec![contact("1", "Ann"), contact("2", "Bob")];
        let user = |id: &str| UserId(id.to_owned());
        set_presence(&mut list, &user("2"), Presence::Online, None);
        set_presence(&mut list, &user("9"), Presence::Online, None);
        assert_eq!(list[0].presence, Presence::Offline);
        assert_eq!(list[1].presence, Presence::Online);
        set_presence(&mut list, &user("2"), Presence::Offline, Some(7));
        assert_eq!(list[1].last_seen_at, Some(7));
    }

    #[test]
    fn who_is_removed_is_gone() {
        let mut list = vec![contact("1", "Ann"), contact("2", "Bob")];
        remove(&mut list, &UserId("1".to_owned()));
        remove(&mut list, &UserId("9".to_owned()));
        assert_eq!(list, [contact("2", "Bob")]);
    }

    #[test]
    fn only_contacts_of_both_sides_can_be_called() {
        let mut requested = contact("1", "Ann");
        requested.status = ContactStatus::Requested;
        let list = [requested, contact("2", "Bob")];
        assert!(callable(&list, &ChatId("chat-1".to_owned())).is_none());
        assert_eq!(
            callable(&list, &ChatId("chat-2".to_owned())).map(|contact| contact.name.as_str()),
            Some("Bob")
        );
    }
}
