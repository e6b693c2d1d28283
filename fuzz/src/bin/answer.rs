//! The body of a server's answer over HTTP, as a client reads it.
#![no_main]

use serde::de::DeserializeOwned;
use vireo_protocol::{
    Health, HttpError, InviteList, InviteLook, NewInvite, Profile, SessionList, SignedIn, UserList,
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    read::<SignedIn>(data);
    read::<HttpError>(data);
    read::<Health>(data);
    read::<SessionList>(data);
    read::<NewInvite>(data);
    read::<InviteList>(data);
    read::<InviteLook>(data);
    read::<Profile>(data);
    read::<UserList>(data);
});

fn read<T: DeserializeOwned>(data: &[u8]) {
    let _ = serde_json::from_slice::<T>(data);
}
