//! What the window can ask for. One line each: the work is the client's.

use std::sync::Arc;

use tauri::State;
use vireo_protocol::{ChatId, Contact};

use crate::{
    app::App,
    view::{AppView, CommandError, MediaSocket},
};

type Outcome<T = ()> = Result<T, CommandError>;

/// The view as it is now.
#[tauri::command]
pub fn view(app: State<'_, Arc<App>>) -> AppView {
    app.view().borrow().clone()
}

/// Makes the account of this name.
#[tauri::command]
pub async fn start(app: State<'_, Arc<App>>, name: String) -> Outcome {
    Ok(app.register(name.trim()).await?)
}

/// Adds a person by name; answers who that is.
#[tauri::command]
pub async fn add_contact(app: State<'_, Arc<App>>, name: String) -> Outcome<Contact> {
    Ok(app.client()?.add_contact(name.trim()).await?)
}

/// Calls.
#[tauri::command]
pub async fn place_call(app: State<'_, Arc<App>>, chat_id: ChatId, camera: bool) -> Outcome {
    app.client()?.place_call(chat_id, camera).await?;
    Ok(())
}

/// Accepts the call that rings.
#[tauri::command]
pub async fn accept_call(app: State<'_, Arc<App>>, camera: bool) -> Outcome {
    app.client()?.accept(camera);
    Ok(())
}

/// Declines the call that rings.
#[tauri::command]
pub async fn decline_call(app: State<'_, Arc<App>>) -> Outcome {
    app.client()?.decline();
    Ok(())
}

/// Cancels or hangs up.
#[tauri::command]
pub async fn end_call(app: State<'_, Arc<App>>) -> Outcome {
    app.client()?.end();
    Ok(())
}

/// Puts an ended call away.
#[tauri::command]
pub async fn dismiss_call(app: State<'_, Arc<App>>) -> Outcome {
    app.client()?.dismiss();
    Ok(())
}

/// Mutes or unmutes.
#[tauri::command]
pub async fn set_microphone_muted(app: State<'_, Arc<App>>, muted: bool) -> Outcome {
    app.client()?.set_microphone_muted(muted);
    Ok(())
}

/// Switches the camera on or off.
#[tauri::command]
pub async fn set_camera_enabled(app: State<'_, Arc<App>>, enabled: bool) -> Outcome {
    app.client()?.set_camera_enabled(enabled);
    Ok(())
}

/// Where the window's worker gets its pictures.
#[tauri::command]
pub fn media_socket(app: State<'_, Arc<App>>) -> MediaSocket {
    app.pictures().invite()
}
