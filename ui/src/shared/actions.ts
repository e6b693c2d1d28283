import type { Alerts } from "../bindings/Alerts";
import type { Appearance } from "../bindings/Appearance";
import type { CallStats } from "../bindings/CallStats";
import type { CommandError } from "../bindings/CommandError";
import type { Contact } from "../bindings/Contact";
import type { InviteView } from "../bindings/InviteView";
import type { NoticeKind } from "../bindings/NoticeKind";
import type { OwnStatus } from "../bindings/OwnStatus";
import type { IceServer } from "../bindings/IceServer";
import type { Rotation } from "../bindings/Rotation";
import type { ServerProbe } from "../bindings/ServerProbe";
import type { MediaSocket } from "../bindings/MediaSocket";
import type { SoundTest } from "../bindings/SoundTest";
import type { VoiceSettings } from "../bindings/VoiceSettings";
import type { Wanted } from "../bindings/Wanted";
import { t, type Key } from "./i18n";

/** Everything that the interface can ask of the application. Each is carried out by Rust; the answer shows in the next view. */
export interface Actions {
  start(name: string): Promise<void>;
  signOut(): Promise<void>;
  /** Goes back to an account that was set aside; null for the one on this computer. */
  useAccount(id: string | null): Promise<void>;
  /** Opens an invitation: what it says is in the view. */
  openInvitation(link: string): Promise<void>;
  /** The same with the one that the clipboard holds, which is read now and never else. */
  pasteInvitation(): Promise<void>;
  /** Asks the invitation's server once more. */
  lookAgain(): Promise<void>;
  /** Takes the invitation, by this name where the person has no account there. */
  join(name: string): Promise<void>;
  dismissInvitation(): Promise<void>;
  /** Lets people elsewhere reach the server on this computer. */
  openToNetwork(): Promise<void>;
  makeInvite(): Promise<InviteView>;
  /** Copies the invitation that was made last. */
  copyInvite(): Promise<void>;
  /** Resolves to the person, who may write the name in other capitals. */
  addContact(name: string): Promise<Contact>;
  acceptContact(userId: string): Promise<void>;
  declineContact(userId: string): Promise<void>;
  /** Takes a contact, or a request either way, out of both lists. */
  removeContact(userId: string): Promise<void>;
  blockContact(userId: string): Promise<void>;
  unblockContact(userId: string): Promise<void>;
  setStatus(status: OwnStatus): Promise<void>;
  placeCall(chatId: string, camera: boolean): Promise<void>;
  /** Calls somebody; the call that goes on ends first. */
  callInstead(chatId: string, camera: boolean): Promise<void>;
  /** Says no more that this person has called during another call. */
  forgetMissed(userId: string): Promise<void>;
  acceptCall(camera: boolean): Promise<void>;
  declineCall(): Promise<void>;
  endCall(): Promise<void>;
  dismissCall(): Promise<void>;
  setMicrophoneMuted(muted: boolean): Promise<void>;
  setCameraEnabled(enabled: boolean): Promise<void>;
  /** Pictures go out although the connection is poor, for a while. */
  setVideoKept(kept: boolean): Promise<void>;
  /** The figures of the call; null while there are none. */
  callStats(): Promise<CallStats | null>;
  /** What is done to the voice, at once and in the calls to come. */
  setVoice(voice: VoiceSettings): Promise<void>;
  /** Another camera, microphone or speaker; null for the system's default one. */
  setDevice(device: NoticeKind, id: string | null): Promise<void>;
  /** How far the pictures of this camera, which is used, are turned. */
  setRotation(camera: string, rotation: Rotation): Promise<void>;
  /** Whether pictures of 1080 rows are sent where that can be, from the next call on. */
  setFullHd(fullHd: boolean): Promise<void>;
  mediaSocket(): Promise<MediaSocket>;
  /** What the person tries out while no call goes on: the microphone's level, the camera's picture; or chooses from. */
  setRehearsal(wanted: Wanted): Promise<void>;
  setSoundTest(test: Extract<SoundTest, "none" | "sound" | "recording">): Promise<void>;
  setAppearance(appearance: Appearance): Promise<void>;
  /** Whether a call goes on when the main window is closed; null asks each time. */
  setKeepsCallWhenClosing(keeps: boolean | null): Promise<void>;
  /** Whether the system starts Vireo when the person logs in; it alone knows. */
  autostart(): Promise<boolean>;
  setAutostart(on: boolean): Promise<void>;
  /** The keys that mute from anywhere, by their places; null for none. */
  setMuteKey(keys: string | null): Promise<void>;
  /** How calls are told beside the window that rings. */
  setAlerts(alerts: Alerts): Promise<void>;
  /** Shows where the system says who may use the device. */
  openSystemSettings(device: NoticeKind): Promise<void>;
  /** The name that others see; null where it is the account's own. */
  displayName(): Promise<string | null>;
  setDisplayName(name: string | null): Promise<void>;
  /** Asks the server of this number among the account's whether it is there. */
  testServer(number: number): Promise<ServerProbe>;
  /** STUN and TURN servers of the person's own, for the calls to come. */
  setIceServers(servers: IceServer[]): Promise<void>;
  /** Whether calls go only through a relay. */
  setRelayOnly(relayOnly: boolean): Promise<void>;
  /** Shows another picture of the person: a square JPEG. */
  setAvatar(jpeg: Uint8Array): Promise<void>;
  removeAvatar(): Promise<void>;
  /** Forgets an account that was set aside, with the password that only Vireo knows. */
  forgetAccount(id: string): Promise<void>;
  /** How long the server takes to answer, in milliseconds. */
  measureConnection(): Promise<number>;
  /** These write a file for the person, and resolve to its path. */
  saveScreenshot(png: Uint8Array): Promise<string>;
  exportStatistics(): Promise<string>;
  exportLog(): Promise<string>;
  /** The ringing stops here and is told to nobody. */
  dismissRinging(): Promise<void>;
  /** The main window closes during a call, which goes on or ends, now and whenever this comes up again. */
  closeWindow(keepsCall: boolean): Promise<void>;
  /** It stays open after all. */
  stayOpen(): Promise<void>;
  showMainWindow(): Promise<void>;
  quit(): Promise<void>;
}

type ErrorKey = Extract<
  Key,
  `error.${string}` | "failed.filesHint" | "picture.unreadable" | "muteKey.unavailable" | "network.invalidIce"
>;

const sentences: Record<string, ErrorKey> = {
  "name-taken": "error.nameTaken",
  "invalid-name": "error.invalidName",
  "unknown-user": "error.unknownUser",
  "own-name": "error.ownName",
  "no-such-request": "error.noSuchRequest",
  "too-many-contacts": "error.tooManyContacts",
  "not-now": "error.notNow",
  "server-unreachable": "error.serverUnreachable",
  "registration-closed": "error.registrationClosed",
  "version-mismatch": "error.versionMismatch",
  "signed-out": "error.signedOut",
  "access-denied": "error.accessDenied",
  "already-in-call": "error.alreadyInCall",
  "no-relay": "error.noRelay",
  "not-a-vireo-server": "error.notAServer",
  "rate-limited": "error.rateLimited",
  "invalid-invite": "error.invalidInvite",
  "invalid-ice-server": "network.invalidIce",
  "invalid-picture": "picture.unreadable",
  "wrong-server": "error.wrongServer",
  "untrusted-server": "error.untrustedServer",
  "cannot-host": "error.cannotHost",
  files: "failed.filesHint",
  file: "error.file",
  autostart: "error.autostart",
  "keys-taken": "error.keysTaken",
  "keys-withheld": "error.keysWithheld",
  "keys-refused": "error.keysRefused",
  "keys-unavailable": "muteKey.unavailable",
  "no-system-settings": "error.noSystemSettings",
};

/** What to tell the person about a command that failed. */
export function errorSentence(error: unknown): string {
  const code = (error as Partial<CommandError> | null)?.code ?? "";
  const key: ErrorKey = sentences[code] ?? "error.other";
  return t(key);
}
