//! The pictures that people show of themselves: to the windows by a scheme of their own, `picture://localhost/PERSON/ETAG`,
//! and from the window to the server. A window gets those of the person's contacts and their own, and no others.

use std::sync::Arc;

use tauri::{
    Manager, UriSchemeContext, UriSchemeResponder, Wry,
    http::{Request, Response, StatusCode, header},
    ipc::{InvokeBody, Request as IpcRequest},
};
use vireo_client::{ClientError, ClientView, Pictures};
use vireo_protocol::{MAX_AVATAR_BYTES, UserId};

use crate::{app::App, view::CommandError};

/// The scheme; the pages' policy names it.
pub const SCHEME: &str = "picture";

/// What every JPEG file begins with.
const JPEG: &[u8] = b"\xFF\xD8\xFF";

/// Answers a window that wants to show somebody's picture.
pub fn serve(
    context: UriSchemeContext<'_, Wry>,
    request: Request<Vec<u8>>,
    responder: UriSchemeResponder,
) {
    let app = context.app_handle().state::<Arc<App>>().inner().clone();
    tauri::async_runtime::spawn(async move {
        let picture = picture(&app, request.uri().path()).await;
        responder.respond(match picture {
            Some(jpeg) => found(jpeg),
            None => missing(),
        });
    });
}

async fn picture(app: &App, path: &str) -> Option<Vec<u8>> {
    let client = app.client().ok()?;
    let (user, etag) = asked(path)?;
    if !may_see(&client.view().borrow(), &user, &etag) {
        return None;
    }
    let session = app.session().ok()?;
    let fetched = app.pictures_of_people().get(&session, &user, &etag).await;
    match fetched {
        Ok(jpeg) => Some(jpeg.to_vec()),
        Err(error) => {
            tracing::info!(%error, "a person's picture cannot be shown");
            None
        }
    }
}

/// Whose picture it is, and which one; it stands in the address as one part that is encoded.
fn asked(path: &str) -> Option<(UserId, String)> {
    let path = path.trim_start_matches('/').replace("%2F", "/");
    let (user, etag) = path.split_once('/')?;
    let user = UserId(user.to_owned());
    let plain = |tag: &str| {
        tag.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    (user.is_well_formed() && plain(etag)).then(|| (user, etag.to_owned()))
}

/// Whether this is the picture that the person's list says this contact has, or their own.
fn may_see(view: &ClientView, user: &UserId, etag: &str) -> bool {
    let own = view.me.id == *user && view.avatar.as_deref() == Some(etag);
    own || view
        .contacts
        .iter()
        .any(|contact| contact.user_id == *user && contact.avatar.as_deref() == Some(etag))
}

fn found(jpeg: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(jpeg);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

fn missing() -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

impl App {
    /// Shows another picture of the person, which the window has cut and coded.
    ///
    /// # Errors
    /// When it is no picture, or too large; what a server can say.
    pub async fn set_avatar(&self, request: &IpcRequest<'_>) -> Result<(), CommandError> {
        let file = match request.body() {
            InvokeBody::Raw(file) if file.starts_with(JPEG) && file.len() <= MAX_AVATAR_BYTES => {
                file.clone()
            }
            _ => return Err(ClientError::InvalidPicture("This is no picture.".to_owned()).into()),
        };
        let profile = self.session()?.set_avatar(file).await?;
        self.client()?.show_avatar(profile.avatar);
        Ok(())
    }

    /// Shows none any more.
    ///
    /// # Errors
    /// What a server can say.
    pub async fn remove_avatar(&self) -> Result<(), ClientError> {
        let profile = self.session()?.remove_avatar().await?;
        self.client()?.show_avatar(profile.avatar);
        Ok(())
    }

    fn pictures_of_people(&self) -> Pictures {
        self.with(|inner| inner.pictures.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_person_and_a_picture() {
        let expected = Some((UserId("0b2f-c1".to_owned()), "Ab_9-".to_owned()));
        assert_eq!(asked("/0b2f-c1/Ab_9-"), expected);
        assert_eq!(asked("/0b2f-c1%2FAb_9-"), expected);
        for wrong in [
            "",
            "/",
            "/a",
            "/../../etc/passwd",
            "/a/b?c",
            "/a/b/c",
            "/a b/c",
        ] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
