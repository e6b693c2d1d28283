//! Who is there, on which devices, and what others may see of it.

use std::collections::{BTreeSet, HashMap};

use vireo_protocol::{OwnStatus, Presence, UserId};

use crate::calls::DeviceId;

/// Who may see a person's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A service is everyone's contact.
    ByEveryone,
    /// Contacts whom the person has not blocked.
    By(Vec<UserId>),
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
}

#[derive(Debug)]
struct Person {
    devices: Vec<(DeviceId, OwnStatus)>,
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
        person.devices.push((device, OwnStatus::Online));
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
    pub fn set_status(&mut self, user: &UserId, device: DeviceId, status: OwnStatus) {
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

    /// Those who may see the person, as the database knew it at that version; what is older than what is known is
    /// ignored. A person who is not there needs none: they are read again when one of the person's devices comes.
    pub fn set_watchers(&mut self, user: &UserId, users: Vec<UserId>, version: i64) {
        let Some(person) = self.people.get_mut(user) else {
            return;
        };
        let newer = |known: &Watchers| known.version > version;
        if !person.watchers.as_ref().is_some_and(newer) {
            person.watchers = Some(Watchers { users, version });
            self.touched.insert(user.clone());
        }
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
        let touched = std::mem::take(&mut self.touched);
        touched
            .into_iter()
            .filter_map(|user| self.change(user))
            .collect()
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
            true => Presence::InCall,
            false if says(OwnStatus::DoNotDisturb) => Presence::DoNotDisturb,
            false if says(OwnStatus::Online) => Presence::Online,
            false => Presence::Away,
        }
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
