//! What the window can ask for. One line each: the work is the client's.

use std::sync::Arc;

use tauri::{AppHandle, State, WebviewWindow, ipc::Channel};
use vireo_call::{CallStats, NoticeKind, VoiceSettings};
use vireo_client::{
    ClientError, OwnStatus, ServerProbe,
    paths::{Alerts, Appearance},
};
use vireo_media::video::Rotation;
use vireo_protocol::{ChatId, Contact, IceServer, UserId};

use crate::{
    app::App,
    checked,
    hosting::InviteView,
    keepsakes,
    rehearsal::{SoundTest, Wanted},
    start::PageTimes,
    system_settings,
    view::{AppView, CommandError, MediaSocket, ShownCall},
    windows,
};

type Outcome<T = ()> = Result<T, CommandError>;

fn user(id: UserId) -> Outcome<UserId> {
    checked::id(id, UserId::is_well_formed)
}

/// The view as it is now.
#[tauri::command]
pub fn view(app: State<'_, Arc<App>>) -> AppView {
    app.view().borrow().clone()
}

/// Makes the account of this name.
#[tauri::command]
pub async fn start(app: State<'_, Arc<App>>, name: String) -> Outcome {
    Ok(app.register(checked::name(&name)?).await?)
}

/// Signs out.
#[tauri::command]
pub async fn sign_out(app: State<'_, Arc<App>>) -> Outcome {
    Ok(app.sign_out().await?)
}

/// Goes back to the account on this server, which was set aside; null for the one on this computer.
#[tauri::command]
pub async fn use_account(app: State<'_, Arc<App>>, id: Option<String>) -> Outcome {
    Ok(app
        .change_back(id.as_deref().map(checked::address).transpose()?)
        .await?)
}

/// Opens an invitation.
#[tauri::command]
pub async fn open_invitation(app: State<'_, Arc<App>>, link: String) -> Outcome {
    Ok(app.open_invitation(checked::address(&link)?)?)
}

/// Opens the invitation that the clipboard holds.
#[tauri::command]
pub async fn paste_invitation(app: State<'_, Arc<App>>) -> Outcome {
    Ok(app.paste_invitation().await?)
}

/// Asks the invitation's server once more.
#[tauri::command]
pub async fn look_again(app: State<'_, Arc<App>>) -> Outcome {
    app.look_again();
    Ok(())
}

/// Takes the invitation.
#[tauri::command]
pub async fn join(app: State<'_, Arc<App>>, name: String) -> Outcome {
    Ok(app.join(checked::name(&name)?).await?)
}

/// Puts the invitation away.
#[tauri::command]
pub async fn dismiss_invitation(app: State<'_, Arc<App>>) -> Outcome {
    app.dismiss_invitation();
    Ok(())
}

/// Lets people elsewhere reach the server on this computer.
#[tauri::command]
pub async fn open_to_network(app: State<'_, Arc<App>>) -> Outcome {
    Ok(app.open_to_network().await?)
}

/// Makes an invitation.
#[tauri::command]
pub async fn make_invite(app: State<'_, Arc<App>>) -> Outcome<InviteView> {
    Ok(app.make_invite().await?)
}

/// Copies the invitation that was made last.
#[tauri::command]
pub async fn copy_invite(app: State<'_, Arc<App>>) -> Outcome {
    Ok(app.copy_invite().await?)
}

/// Adds a person by name; answers who that is.
#[tauri::command]
pub async fn add_contact(app: State<'_, Arc<App>>, name: String) -> Outcome<Contact> {
    Ok(app.client()?.add_contact(checked::name(&name)?).await?)
}

/// Accepts the request of somebody who has added this person.
#[tauri::command]
pub async fn accept_contact(app: State<'_, Arc<App>>, user_id: UserId) -> Outcome {
    Ok(app.client()?.accept_contact(user(user_id)?).await?)
}

/// Turns a request down.
#[tauri::command]
pub async fn decline_contact(app: State<'_, Arc<App>>, user_id: UserId) -> Outcome {
    Ok(app.client()?.decline_contact(user(user_id)?).await?)
}

/// Takes somebody out of the list.
#[tauri::command]
pub async fn remove_contact(app: State<'_, Arc<App>>, user_id: UserId) -> Outcome {
    Ok(app.client()?.remove_contact(user(user_id)?).await?)
}

/// Keeps somebody away.
#[tauri::command]
pub async fn block_contact(app: State<'_, Arc<App>>, user_id: UserId) -> Outcome {
    Ok(app.client()?.block_contact(user(user_id)?).await?)
}

/// Ends a block.
#[tauri::command]
pub async fn unblock_contact(app: State<'_, Arc<App>>, user_id: UserId) -> Outcome {
    Ok(app.client()?.unblock_contact(user(user_id)?).await?)
}

/// Says how the person can be reached.
#[tauri::command]
pub async fn set_status(app: State<'_, Arc<App>>, status: OwnStatus) -> Outcome {
    app.client()?.set_status(status);
    Ok(())
}

/// Calls.
#[tauri::command]
pub async fn place_call(app: State<'_, Arc<App>>, chat_id: ChatId, camera: bool) -> Outcome {
    let chat_id = checked::id(chat_id, ChatId::is_well_formed)?;
    app.client()?.place_call(chat_id, camera).await?;
    Ok(())
}

/// Calls somebody instead of whomever the person is in a call with, which ends.
#[tauri::command]
pub async fn call_instead(app: State<'_, Arc<App>>, chat_id: ChatId, camera: bool) -> Outcome {
    let chat_id = checked::id(chat_id, ChatId::is_well_formed)?;
    app.client()?.call_instead(chat_id, camera).await?;
    Ok(())
}

/// Says no more that this person has called while another call went on.
#[tauri::command]
pub async fn forget_missed(app: State<'_, Arc<App>>, user_id: UserId) -> Outcome {
    app.client()?.forget_missed(user(user_id)?);
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

/// Keeps this side's pictures going out although the connection is poor, for a while.
#[tauri::command]
pub async fn set_video_kept(app: State<'_, Arc<App>>, kept: bool) -> Outcome {
    app.client()?.set_video_kept(kept);
    Ok(())
}

/// Switches parts of the voice processing on and off.
#[tauri::command]
pub async fn set_voice(app: State<'_, Arc<App>>, voice: VoiceSettings) -> Outcome {
    app.set_voice(voice)?;
    Ok(())
}

/// The figures of the call; none while there are none.
#[tauri::command]
pub async fn call_stats(app: State<'_, Arc<App>>) -> Outcome<Option<CallStats>> {
    Ok(app.call_stats().await?)
}

/// Uses another camera, microphone or speaker; null for the system's default one.
#[tauri::command]
pub async fn set_device(
    app: State<'_, Arc<App>>,
    device: NoticeKind,
    id: Option<String>,
) -> Outcome {
    app.set_device(device, checked::device(id)?)?;
    Ok(())
}

/// Turns the pictures of this camera, which is used.
#[tauri::command]
pub async fn set_rotation(app: State<'_, Arc<App>>, camera: String, rotation: Rotation) -> Outcome {
    app.set_rotation(camera, rotation)
}

/// Sends pictures of 1080 rows where that can be, from the next call on.
#[tauri::command]
pub async fn set_full_hd(app: State<'_, Arc<App>>, full_hd: bool) -> Outcome {
    app.set_full_hd(full_hd)?;
    Ok(())
}

/// Shows the window in another theme or language.
#[tauri::command]
pub async fn set_appearance(app: State<'_, Arc<App>>, appearance: Appearance) -> Outcome {
    app.set_appearance(appearance)?;
    Ok(())
}

/// Tells of calls in other ways.
#[tauri::command]
pub async fn set_alerts(app: State<'_, Arc<App>>, alerts: Alerts) -> Outcome {
    app.set_alerts(checked::alerts(alerts)?)?;
    Ok(())
}

/// Lets a call go on when the main window is closed, or end; null asks each time until there is an answer.
#[tauri::command]
pub async fn set_keeps_call_when_closing(app: State<'_, Arc<App>>, keeps: Option<bool>) -> Outcome {
    app.set_keeps_call_when_closing(keeps)?;
    Ok(())
}

/// Whether the system starts Vireo when the person logs in.
#[tauri::command]
pub async fn autostart(app: State<'_, Arc<App>>) -> Outcome<bool> {
    Ok(app.autostart().is_ok_and(|autostart| autostart.is_on()))
}

/// Lets the system start Vireo when the person logs in, or no more.
#[tauri::command]
pub async fn set_autostart(app: State<'_, Arc<App>>, on: bool) -> Outcome {
    let set = app.autostart().and_then(|autostart| autostart.set(on));
    set.map_err(|error| CommandError::of_autostart(&error.to_string()))
}

/// Lets these keys mute from anywhere; null for none.
#[tauri::command]
pub async fn set_mute_key(app: State<'_, Arc<App>>, keys: Option<String>) -> Outcome {
    app.set_mute_key(keys).await
}

/// Opens microphone and camera for whoever tries them out, looks for devices, and lets them go.
#[tauri::command]
pub async fn set_rehearsal(app: State<'_, Arc<App>>, wanted: Wanted) -> Outcome {
    app.rehearsal()?.set(wanted);
    Ok(())
}

/// Plays the test sound, or records the microphone and plays that, or stops either.
#[tauri::command]
pub async fn set_sound_test(app: State<'_, Arc<App>>, test: SoundTest) -> Outcome {
    app.rehearsal()?.set_sound(test);
    Ok(())
}

/// Shows the system's own settings of such devices.
#[tauri::command]
pub async fn open_system_settings(device: NoticeKind) -> Outcome {
    system_settings::open(device).map_err(|error| CommandError::of_system(&error.to_string()))
}

/// The name that others see; none where it is the account's own.
#[tauri::command]
pub async fn display_name(app: State<'_, Arc<App>>) -> Outcome<Option<String>> {
    Ok(app.session()?.profile().await?.display_name)
}

/// Shows others another name; null for the account's own.
#[tauri::command]
pub async fn set_display_name(app: State<'_, Arc<App>>, name: Option<String>) -> Outcome {
    app.session()?.set_display_name(name.as_deref()).await?;
    Ok(())
}

/// How long the server takes to answer, in milliseconds.
#[tauri::command]
pub async fn measure_connection(app: State<'_, Arc<App>>) -> Outcome<f64> {
    Ok(app.measure_connection().await?)
}

/// Keeps a picture of the call in the person's folder; answers where.
#[tauri::command]
pub async fn save_screenshot(request: tauri::ipc::Request<'_>) -> Outcome<String> {
    keepsakes::screenshot(&request)
}

/// Asks one of the account's servers whether it is there.
#[tauri::command]
pub async fn test_server(app: State<'_, Arc<App>>, number: usize) -> Outcome<ServerProbe> {
    Ok(app.test_server(number).await?)
}

/// Uses these STUN and TURN servers besides the server's.
#[tauri::command]
pub async fn set_ice_servers(app: State<'_, Arc<App>>, servers: Vec<IceServer>) -> Outcome {
    app.set_ice_servers(servers)
}

/// Lets calls go only through a relay, or by every way again.
#[tauri::command]
pub async fn set_relay_only(app: State<'_, Arc<App>>, relay_only: bool) -> Outcome {
    Ok(app.set_relay_only(relay_only)?)
}

/// Shows another picture of the person.
#[tauri::command]
pub async fn set_avatar(app: State<'_, Arc<App>>, request: tauri::ipc::Request<'_>) -> Outcome {
    app.set_avatar(&request).await
}

/// Shows no picture of the person any more.
#[tauri::command]
pub async fn remove_avatar(app: State<'_, Arc<App>>) -> Outcome {
    Ok(app.remove_avatar().await?)
}

/// Forgets the account on this server, which was set aside.
#[tauri::command]
pub async fn forget_account(app: State<'_, Arc<App>>, id: String) -> Outcome {
    Ok(app.forget_account(checked::address(&id)?)?)
}

/// Keeps the call's figures; answers where.
#[tauri::command]
pub async fn export_statistics(app: State<'_, Arc<App>>, at: String) -> Outcome<String> {
    keepsakes::statistics(app.figures(), &at)
}

/// Keeps what the application has written down; answers where.
#[tauri::command]
pub async fn export_log(app: State<'_, Arc<App>>, at: String) -> Outcome<String> {
    keepsakes::log(&app.log().text(), &at)
}

/// Where the window's worker gets its pictures; for the window alone in which they are shown.
#[tauri::command]
pub fn media_socket(app: State<'_, Arc<App>>, window: WebviewWindow) -> Outcome<MediaSocket> {
    let small = app.view().borrow().desk.small_window;
    match small == (window.label() == windows::SMALL) {
        true => Ok(app.pictures().invite()),
        false => Err(ClientError::NotNow.into()),
    }
}

/// Tells a window that shows nothing but the call about it, now and after every change, until there is none.
#[tauri::command]
pub fn watch_call(app: State<'_, Arc<App>>, calls: Channel<ShownCall>) {
    tauri::async_runtime::spawn(app.inner().clone().tell_of_call(calls));
}

/// Stops the ringing here, without a word to anybody.
#[tauri::command]
pub async fn dismiss_ringing(app: State<'_, Arc<App>>) -> Outcome {
    app.on_desk(|desk| desk.dismiss_ringing());
    Ok(())
}

/// Closes the main window during a call, which goes on or ends, as it shall the next time.
#[tauri::command]
pub async fn close_window(handle: AppHandle, keeps_call: bool) -> Outcome {
    Ok(windows::close(&handle, Some(keeps_call))?)
}

/// Leaves the main window open after all.
#[tauri::command]
pub async fn stay_open(app: State<'_, Arc<App>>) -> Outcome {
    app.on_desk(|desk| desk.stay_open());
    Ok(())
}

/// Opens the main window, or brings it to the front.
#[tauri::command]
pub async fn show_main_window(handle: AppHandle) -> Outcome {
    windows::show_main(&handle);
    Ok(())
}

/// Ends the application.
#[tauri::command]
pub async fn quit(handle: AppHandle) -> Outcome {
    handle.exit(0);
    Ok(())
}

/// The window shows something that can be used for the first time.
#[tauri::command]
pub fn tell_started(app: State<'_, Arc<App>>, times: PageTimes) {
    app.start().over(times);
}
