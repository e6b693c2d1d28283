//! Who is there, on which devices, and what others may see of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use vireo_protocol::{DeviceStatus, Presence, UserId};

use crate::calls::DeviceId;
use crate::metrics;

/// Who may see a person's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A service is everyone's contact.
    ByEveryone,
    /// Contacts, without those of whom one has blocked the other.
    By(Vec<UserId>),
    /// Those who could see it and may not any more: for them the person is offline, and was never seen.
    NoLonger(Vec<UserId>),
}

/// Somebody's presence is not what was last said of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub user: UserId,
    pub presence: Presence,
    pub seen_by: Seen,
}

/// See the module.
#[derive(Debug, Default)]
pub struct People {
    people: HashMap<UserId, Person>,
    /// Those whose presence may have changed since it was last told.
    touched: BTreeSet<UserId>,
    /// What those have to be told who may see somebody since then, or may not any more.
    shown: Vec<Change>,
}

#[derive(Debug)]
struct Person {
    devices: Vec<(DeviceId, DeviceStatus)>,
    service: bool,
    in_call: bool,
    /// Nothing until the database has said who they are.
    watchers: Option<Watchers>,
    /// What was last told.
    told: Presence,
}

#[derive(Debug)]
struct Watchers {
    users: Vec<UserId>,
    /// Whether the person does not wish to be called.
    do_not_disturb: bool,
    version: i64,
}

impl People {
    /// A device of the person's is there.
    pub fn arrive(&mut self, user: &UserId, service: bool, device: DeviceId) {
        let person = self.people.entry(user.clone()).or_insert_with(|| Person {
            devices: Vec::with_capacity(1),
            service,
            in_call: false,
            watchers: None,
            told: Presence::Offline,
        });
        person.devices.push((device, DeviceStatus::Online));
        self.touched.insert(user.clone());
    }

    /// A device of the person's is gone.
    pub fn leave(&mut self, user: &UserId, device: DeviceId) {
        if let Some(person) = self.people.get_mut(user) {
            person.devices.retain(|(other, _)| *other != device);
            self.touched.insert(user.clone());
        }
    }

    /// What the person says of themselves on this device.
    pub fn set_status(&mut self, user: &UserId, device: DeviceId, status: DeviceStatus) {
        let Some(person) = self.people.get_mut(user) else {
            return;
        };
        for (known, said) in &mut person.devices {
            if *known == device {
                *said = status;
            }
        }
        self.touched.insert(user.clone());
    }

    /// Whether the person is in a call.
    pub fn set_in_call(&mut self, user: &UserId, in_call: bool) {
        if let Some(person) = self.people.get_mut(user) {
            person.in_call = in_call;
            self.touched.insert(user.clone());
        }
    }

    /// Those who may see the person, and whether the person does not wish to be called, as the database knew it at that
    /// version; what is older than what is known is ignored. A person who is not there needs none: they are read again when one of the person's devices comes. Who may
    /// see the person from now on is told where they are, and who may not any more that they are gone.
    pub fn set_watchers(
        &mut self,
        user: &UserId,
        mut users: Vec<UserId>,
        do_not_disturb: bool,
        version: i64,
    ) {
        // They are kept for as long as the person is there.
        users.shrink_to_fit();
        let Some(person) = self.people.get_mut(user) else {
            return;
        };
        let known = person.watchers.as_ref();
        if known.is_some_and(|known| known.version > version) {
            return;
        }
        let known = known.map_or(&[][..], |known| &known.users);
        let (come, gone) = (without(&users, known), without(known, &users));
        person.watchers = Some(Watchers {
            users,
            do_not_disturb,
            version,
        });
        // Before anybody could see the person, nothing has been told; from the first time on everybody is told alike.
        if person.told != Presence::Offline {
            let news = [
                (person.told, Seen::By(come)),
                (Presence::Offline, Seen::NoLonger(gone)),
            ];
            for (presence, seen_by) in news {
                let user = user.clone();
                self.shown.push(Change {
                    user,
                    presence,
                    seen_by,
                });
            }
        }
        self.touched.insert(user.clone());
    }

    /// Every device of the person's.
    pub fn devices(&self, user: &UserId) -> Vec<DeviceId> {
        let person = self.people.get(user);
        let devices = person.into_iter().flat_map(|person| &person.devices);
        devices.map(|(device, _)| *device).collect()
    }

    /// What one person may see of another.
    pub fn presence_for(&self, viewer: &UserId, user: &UserId) -> Presence {
        match self.people.get(user) {
            Some(person) if person.is_seen_by(viewer) => person.presence(),
            Some(_) | None => Presence::Offline,
        }
    }

    /// Every presence that differs from what was last told.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.shown);
        let touched = std::mem::take(&mut self.touched);
        changes.extend(touched.into_iter().filter_map(|user| self.change(user)));
        metrics::people_here(self.people.len());
        changes
    }

    fn change(&mut self, user: UserId) -> Option<Change> {
        let person = self.people.get_mut(&user)?;
        let presence = person.presence();
        let seen_by = person.seen_by();
        let gone = person.devices.is_empty();
        let told = std::mem::replace(&mut person.told, presence);
        if gone {
            self.people.remove(&user);
        }
        (told != presence).then_some(Change {
            user,
            presence,
            seen_by,
        })
    }
}

impl Person {
    fn presence(&self) -> Presence {
        let known = self.service || self.watchers.is_some();
        if self.devices.is_empty() || !known {
            return Presence::Offline;
        }
        let says = |status| self.devices.iter().any(|(_, said)| *said == status);
        match self.in_call {
            // A service takes any number of calls, and who calls it is nobody else's business.
            true if !self.service => Presence::InCall,
            _ if self.do_not_disturb() => Presence::DoNotDisturb,
            _ if says(DeviceStatus::Online) => Presence::Online,
            _ => Presence::Away,
        }
    }

    fn do_not_disturb(&self) -> bool {
        let watchers = self.watchers.as_ref();
        watchers.is_some_and(|watchers| watchers.do_not_disturb)
    }

    fn is_seen_by(&self, viewer: &UserId) -> bool {
        let watchers = self.watchers.as_ref();
        self.service || watchers.is_some_and(|watchers| watchers.users.contains(viewer))
    }

    fn seen_by(&self) -> Seen {
        match (self.service, &self.watchers) {
            (true, _) => Seen::ByEveryone,
            (false, Some(watchers)) => Seen::By(watchers.users.clone()),
            (false, None) => Seen::By(Vec::new()),
        }
    }
}

/// Those of the users who are not among the others.
fn without(users: &[UserId], others: &[UserId]) -> Vec<UserId> {
    let others: HashSet<&UserId> = others.iter().collect();
    let left = users.iter().filter(|user| !others.contains(user));
    left.cloned().collect()
}
