//! Who belongs to the chats that are being called in. The two members of a chat never change, so that what the database
//! has said once of a chat holds for every further message of the call.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vireo_protocol::{ChatId, UserId};

/// So many chats are remembered; then those that have not been asked for of late are forgotten.
const CAPACITY: usize = 20_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Members(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<ChatId, [UserId; 2]>,
    old: HashMap<ChatId, [UserId; 2]>,
}

impl Members {
    /// The database has said who the members of this chat are.
    pub fn remember(&self, chat: &ChatId, members: [&UserId; 2]) {
        // Two maps stay right when a holder of the lock has panicked.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(chat.clone(), members.map(Clone::clone));
    }

    /// Whether the person is known to be a member of the chat.
    pub fn know(&self, chat: &ChatId, user: &UserId) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((chat, members)) = known.old.remove_entry(chat) {
            known.insert(chat, members);
        }
        let members = known.young.get(chat);
        members.is_some_and(|members| members.contains(user))
    }
}

impl Generations {
    fn insert(&mut self, chat: ChatId, members: [UserId; 2]) {
        if self.young.len() >= CAPACITY / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(chat, members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId(name.to_owned())
    }

    #[test]
    fn members_are_known_and_others_are_not() {
        let members = Members::default();
        let chat = ChatId("ab".to_owned());
        assert!(!members.know(&chat, &user("ann")));
        members.remember(&chat, [&user("ann"), &user("bob")]);
        assert!(members.know(&chat, &user("ann")));
        assert!(members.know(&chat, &user("bob")));
        assert!(!members.know(&chat, &user("eve")));
    }

    #[test]
    fn what_is_asked_for_stays_and_memory_is_bounded() {
        let members = Members::default();
        let used = ChatId("used".to_owned());
        members.remember(&used, [&user("ann"), &user("bob")]);
        for n in 0..3 * CAPACITY {
            members.remember(&ChatId(n.to_string()), [&user("ann"), &user("bob")]);
            assert!(members.know(&used, &user("ann")));
        }
        let known = members.0.lock().expect("nobody has panicked");
        assert!(known.young.len() + known.old.len() <= CAPACITY);
    }
}
