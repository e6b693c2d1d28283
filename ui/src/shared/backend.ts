import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { AppView } from "../bindings/AppView";
import type { Levels } from "../bindings/Levels";
import type { PageTimes } from "../bindings/PageTimes";
import type { ShownCall } from "../bindings/ShownCall";
import type { Actions } from "./actions";
import { fileTime } from "./time";

/** The commands of the application's shell, one to one. */
export const backend: Actions = {
  start: (name) => invoke("start", { name }),
  signOut: () => invoke("sign_out"),
  useAccount: (id) => invoke("use_account", { id }),
  openInvitation: (link) => invoke("open_invitation", { link }),
  pasteInvitation: () => invoke("paste_invitation"),
  lookAgain: () => invoke("look_again"),
  join: (name) => invoke("join", { name }),
  dismissInvitation: () => invoke("dismiss_invitation"),
  openToNetwork: () => invoke("open_to_network"),
  makeInvite: () => invoke("make_invite"),
  copyInvite: () => invoke("copy_invite"),
  addContact: (name) => invoke("add_contact", { name }),
  acceptContact: (userId) => invoke("accept_contact", { userId }),
  declineContact: (userId) => invoke("decline_contact", { userId }),
  removeContact: (userId) => invoke("remove_contact", { userId }),
  blockContact: (userId) => invoke("block_contact", { userId }),
  unblockContact: (userId) => invoke("unblock_contact", { userId }),
  setStatus: (status) => invoke("set_status", { status }),
  placeCall: (chatId, camera) => invoke("place_call", { chatId, camera }),
  callInstead: (chatId, camera) => invoke("call_instead", { chatId, camera }),
  forgetMissed: (userId) => invoke("forget_missed", { userId }),
  acceptCall: (camera) => invoke("accept_call", { camera }),
  declineCall: () => invoke("decline_call"),
  endCall: () => invoke("end_call"),
  dismissCall: () => invoke("dismiss_call"),
  setMicrophoneMuted: (muted) => invoke("set_microphone_muted", { muted }),
  setCameraEnabled: (enabled) => invoke("set_camera_enabled", { enabled }),
  setVideoKept: (kept) => invoke("set_video_kept", { kept }),
  callStats: () => invoke("call_stats"),
  setVoice: (voice) => invoke("set_voice", { voice }),
  setFullHd: (fullHd) => invoke("set_full_hd", { fullHd }),
  setDevice: (device, id) => invoke("set_device", { device, id }),
  setRotation: (camera, rotation) => invoke("set_rotation", { camera, rotation }),
  mediaSocket: () => invoke("media_socket"),
  setRehearsal: (wanted) => invoke("set_rehearsal", { wanted }),
  setSoundTest: (test) => invoke("set_sound_test", { test }),
  setAppearance: (appearance) => invoke("set_appearance", { appearance }),
  setKeepsCallWhenClosing: (keeps) => invoke("set_keeps_call_when_closing", { keeps }),
  autostart: () => invoke("autostart"),
  setAutostart: (on) => invoke("set_autostart", { on }),
  setMuteKey: (keys) => invoke("set_mute_key", { keys }),
  setAlerts: (alerts) => invoke("set_alerts", { alerts }),
  openSystemSettings: (device) => invoke("open_system_settings", { device }),
  displayName: () => invoke("display_name"),
  setDisplayName: (name) => invoke("set_display_name", { name }),
  testServer: (number) => invoke("test_server", { number }),
  setIceServers: (servers) => invoke("set_ice_servers", { servers }),
  setRelayOnly: (relayOnly) => invoke("set_relay_only", { relayOnly }),
  setAvatar: (jpeg) => invoke("set_avatar", jpeg),
  removeAvatar: () => invoke("remove_avatar"),
  forgetAccount: (id) => invoke("forget_account", { id }),
  measureConnection: () => invoke("measure_connection"),
  saveScreenshot: (png) => invoke("save_screenshot", png, { headers: { "taken-at": fileTime() } }),
  exportStatistics: () => invoke("export_statistics", { at: fileTime() }),
  exportLog: () => invoke("export_log", { at: fileTime() }),
  dismissRinging: () => invoke("dismiss_ringing"),
  closeWindow: (keepsCall) => invoke("close_window", { keepsCall }),
  stayOpen: () => invoke("stay_open"),
  showMainWindow: () => invoke("show_main_window"),
  quit: () => invoke("quit"),
};

/** Calls `show` with the view as it is now and with every later one. */
export async function watchView(show: (view: AppView) => void): Promise<void> {
  await listen<AppView>("view", (event) => {
    show(event.payload);
  });
  show(await invoke<AppView>("view"));
}

/** When the window came to be usable, for the log. */
export const tellStarted = (times: PageTimes) => invoke("tell_started", { times });

/** Calls `show` with every level that the shell tells, while there is somebody who wants to know. */
export async function watchLevels(show: (levels: Levels) => void): Promise<void> {
  await listen<Levels>("levels", (event) => {
    show(event.payload);
  });
}

/** Calls `show` with the call as it is now and whenever it changes; for windows that show nothing else. */
export async function watchCall(show: (call: ShownCall) => void): Promise<void> {
  const calls = new Channel<ShownCall>();
  calls.onmessage = show;
  await invoke("watch_call", { calls });
}
