//! The pictures that people show of themselves, each fetched once: another picture has another ETag.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::Method;
use vireo_protocol::{MAX_AVATAR_BYTES, UserId};

use crate::transport::Content;
use crate::{ClientError, Session};

/// So many pictures are remembered, some 10 KB each.
const MOST: usize = 512;

/// What every JPEG file begins with: the server gives nothing else.
const JPEG: &[u8] = b"\xFF\xD8\xFF";

/// The pictures that were fetched. Cheap to clone; what one clone has fetched the others know.
#[derive(Debug, Clone, Default)]
pub struct Pictures(Arc<Mutex<HashMap<UserId, (String, Bytes)>>>);

impl Pictures {
    /// The picture of this person that has this ETag, as a JPEG file: as it was fetched before, else from the server.
    ///
    /// # Errors
    /// [`ClientError::InvalidPicture`] where the server has none, or what it gives is none, and what else a server can say.
    pub async fn get(
        &self,
        session: &Session,
        user: &UserId,
        etag: &str,
    ) -> Result<Bytes, ClientError> {
        if let Some(known) = self.known(user, etag) {
            return Ok(known);
        }
        let path = format!("api/users/{user}/avatar");
        let answer = session.ask(Method::GET, &path, Content::Nothing).await?;
        answer.succeeded("")?;
        if !answer.body.starts_with(JPEG) || answer.body.len() > MAX_AVATAR_BYTES {
            return Err(ClientError::InvalidPicture(
                "This is no picture.".to_owned(),
            ));
        }
        self.remember(user, etag, &answer.body);
        Ok(answer.body)
    }

    fn known(&self, user: &UserId, etag: &str) -> Option<Bytes> {
        // Every change under this lock is whole.
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tag, picture) = known.get(user)?;
        (tag == etag).then(|| picture.clone())
    }

    fn remember(&self, user: &UserId, etag: &str, picture: &Bytes) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            // Whoever is looked at is fetched again.
            known.clear();
        }
        known.insert(user.clone(), (etag.to_owned(), picture.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_etag_and_few_are_remembered() {
        let pictures = Pictures::default();
        let ann = UserId("ann".to_owned());
        pictures.remember(&ann, "1", &Bytes::from_static(b"old"));
        pictures.remember(&ann, "2", &Bytes::from_static(b"new"));
        assert_eq!(pictures.known(&ann, "1"), None);
        assert_eq!(pictures.known(&ann, "2"), Some(Bytes::from_static(b"new")));
        for number in 0..MOST * 2 {
            pictures.remember(&UserId(number.to_string()), "1", &Bytes::new());
        }
        assert!(pictures.0.lock().is_ok_and(|known| known.len() <= MOST));
    }
}
