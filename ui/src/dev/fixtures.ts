import type { AccountsView } from "../bindings/AccountsView";
import type { AppView } from "../bindings/AppView";
import type { CallStats } from "../bindings/CallStats";
import type { CallView } from "../bindings/CallView";
import type { Contact } from "../bindings/Contact";
import type { DeskView } from "../bindings/DeskView";
import type { DevicesView } from "../bindings/DevicesView";
import type { InviteView } from "../bindings/InviteView";
import type { Joining } from "../bindings/Joining";
import type { JoiningStep } from "../bindings/JoiningStep";
import type { MissedCall } from "../bindings/MissedCall";
import type { PastCall } from "../bindings/PastCall";
import type { Phase } from "../bindings/Phase";
import type { StageStats } from "../bindings/StageStats";
import type { VoiceSettings } from "../bindings/VoiceSettings";
import type { MediaSession } from "../call/media/session";
import type { Actions } from "../shared/actions";

/** Views to look at and to test with; never part of the application. */

export function contact(name: string, more: Partial<Contact> = {}): Contact {
  return {
    userId: `user-${name}`,
    name,
    displayName: null,
    avatar: null,
    status: "contact",
    chatId: `chat-${name}`,
    presence: "online",
    lastSeenAt: null,
    service: false,
    ...more,
  };
}

export const echo = contact("Echo test", { service: true });

export const people: Contact[] = [
  contact("Anna Lindqvist"),
  contact("Дмитрий Соколов", { presence: "in-call" }),
  contact("Fatima", { presence: "away" }),
  contact("Giulia", { presence: "do-not-disturb" }),
  contact("Bartholomäus von Hohenstein-Wittgenburg zu Lichtenfels", { presence: "offline" }),
  contact("Mei Tanaka", { presence: "offline", lastSeenAt: Date.now() - 5 * 60_000 }),
  contact("Omar", { status: "requested", chatId: null, presence: "offline" }),
  contact("Priya Raman", { status: "incoming", chatId: null, presence: "offline" }),
  contact("Quentin", { status: "blocked", chatId: null, presence: "offline" }),
  echo,
];

const named = (name: string) => ({ id: name.toLowerCase(), name });

export const devices: DevicesView = {
  camera: { default: "Integrated Camera", devices: [named("Integrated Camera")], chosen: null },
  microphone: {
    default: "Built-in microphone",
    devices: [named("Built-in microphone"), named("USB Headset")],
    chosen: null,
  },
  speaker: {
    default: "Built-in speakers",
    devices: [named("Built-in speakers"), named("USB Headset")],
    chosen: "usb headset",
  },
  rotation: { camera: "integrated camera", rotation: "none" },
  toasts: [],
};

export function callView(phase: Phase, more: Partial<CallView> = {}): CallView {
  const connected = phase.kind === "connected" || phase.kind === "reconnecting";
  return {
    callId: "call-1",
    chatId: "chat-Anna Lindqvist",
    peer: { userId: "user-Anna Lindqvist", name: "Anna Lindqvist" },
    direction: "outgoing",
    phase,
    local: { microphone: true, camera: true },
    remote: { microphone: true, camera: true },
    speaking: { local: false, remote: false },
    microphoneHint: null,
    connection: "good",
    connectedAtMs: connected ? Date.now() - 754_000 : null,
    endedAtMs: null,
    serverReachable: true,
    notices: [],
    ...more,
  };
}

/** As it is until somebody chooses something else. */
export const voice: VoiceSettings = {
  echoCancellation: true,
  noiseSuppression: "standard",
  automaticGain: true,
};

export const desk: DeskView = { call: "mainWindow", silent: false, asksToClose: false };

export const accounts: AccountsView = { server: null, secrets: "keyStore", open: false, others: [] };

/** What every view has, whatever there is to see. */
const rest: Omit<AppView, "screen"> = {
  revision: 1,
  standIns: [],
  voice,
  fullHd: false,
  devices,
  accounts,
  joining: null,
  answeredFromOutside: null,
  appearance: { theme: "system", language: "system" },
  keepsCallWhenClosing: null,
  muteKey: { keys: null, problem: null },
  alerts: { notifications: true, ringtone: true, secondSpeaker: null },
  rehearsal: { sound: "none", microphone: null, speaker: null, camera: null },
  version: "0.1.0",
  iceServers: [],
  relayOnly: false,
  desk,
};

/** An invitation that was opened, before anybody has signed in. */
export function joining(step: JoiningStep, more: Partial<AppView> = {}): AppView {
  const opened: Joining = { address: "192.168.178.20:7450", step };
  const screen = { kind: "firstRun", suggestedName: "Jonas Weber", server: null, lost: null } as const;
  return { ...rest, screen, joining: opened, ...more };
}

export const invited = {
  kind: "invited",
  server: "Lindqvist family",
  inviter: "Anna Lindqvist",
  name: "Jonas Weber",
  standing: { kind: "new" },
} as const satisfies JoiningStep;

export function home(
  call: CallView | null = null,
  more: Partial<Extract<AppView["screen"], { kind: "home" }>> = {},
): AppView {
  return {
    screen: {
      kind: "home",
      me: { id: "me", name: "Jonas Weber" },
      connection: "online",
      status: "online",
      contacts: people,
      call,
      servers: ["https://vireo.example.org", "https://two.vireo.example.org"],
      avatar: null,
      missed: [],
      recent: [],
      hasRelay: true,
      ...more,
    },
    ...rest,
  };
}

/** Somebody called while another call went on. */
export const missed: MissedCall = {
  callId: "call-2",
  chatId: "chat-Дмитрий Соколов",
  peer: { userId: "user-Дмитрий Соколов", name: "Дмитрий Соколов" },
  camera: true,
};

const past = (id: string, name: string, more: Partial<PastCall> = {}): PastCall => ({
  id,
  callId: `call-${id}`,
  chatId: `chat-${name}`,
  userId: `user-${name}`,
  name,
  direction: "outgoing",
  startedAt: Date.now() - 3 * 60 * 60_000,
  answeredAt: null,
  endedAt: Date.now() - 3 * 60 * 60_000,
  outcome: "no-answer",
  durationSeconds: 0,
  ...more,
});

export const recent: PastCall[] = [
  past("5", "Дмитрий Соколов", { direction: "incoming", outcome: "busy", startedAt: Date.now() - 60_000 }),
  past("4", "Anna Lindqvist", { outcome: "completed", durationSeconds: 754, answeredAt: 1 }),
  past("3", "Anna Lindqvist", { direction: "incoming", outcome: "no-answer" }),
  past("2", "Bartholomäus von Hohenstein-Wittgenburg zu Lichtenfels", { outcome: "offline" }),
  past("1", "Nobody any more", { name: null, direction: "incoming", outcome: "declined" }),
];

export const views: Record<string, AppView> = {
  starting: { ...rest, screen: { kind: "starting" } },
  waiting: { ...rest, screen: { kind: "waiting" } },
  failed: {
    screen: {
      kind: "failed",
      code: "files",
      detail: "/home/jonas/.local/share/vireo: Permission denied (os error 13)",
    },
    ...rest,
  },
  "failed-open": {
    screen: { kind: "failed", code: "alreadyOpen", detail: "" },
    ...rest,
  },
  "first-run": {
    screen: { kind: "firstRun", suggestedName: "Jonas Weber", server: null, lost: null },
    ...rest,
  },
  "first-run-lost": {
    ...rest,
    screen: { kind: "firstRun", suggestedName: "Jonas", server: null, lost: "vireo.example.org" },
  },
  "first-run-others": {
    ...rest,
    screen: { kind: "firstRun", suggestedName: "", server: null, lost: null },
    accounts: {
      ...accounts,
      others: [
        { id: null, name: "Jonas Weber", server: null },
        { id: "https://vireo.example.org", name: "jonas", server: "vireo.example.org" },
      ],
    },
  },
  "join-looking": joining({ kind: "looking" }),
  "join-invited": joining(invited),
  "join-first": joining({ ...invited, inviter: null }),
  "join-member": joining({ ...invited, standing: { kind: "member" } }, { screen: home().screen }),
  "join-elsewhere": joining(
    {
      ...invited,
      inviter: "Bartholomäus von Hohenstein-Wittgenburg zu Lichtenfels",
      standing: { kind: "elsewhere", name: "jonas", server: "vireo.example.org", known: false },
    },
    { screen: home().screen },
  ),
  "join-used-up": joining({ kind: "failed", problem: "usedUp" }),
  "join-unreachable": joining({ kind: "failed", problem: "unreachable" }),
  "join-joined": joining({ kind: "joined", inviter: "user-Anna Lindqvist" }, { screen: home().screen }),
  home: home(),
  "home-empty": home(null, { contacts: [echo] }),
  "home-selected": home(),
  "home-offline": home(null, { connection: "unreachable" }),
  "home-connecting": home(null, { connection: "connecting" }),
  "home-stand-ins": { ...home(), standIns: ["camera", "microphone", "speaker"] },
  calling: home(callView({ kind: "calling" })),
  ringing: home(callView({ kind: "ringing" })),
  connecting: home(callView({ kind: "connecting" })),
  incoming: home(callView({ kind: "incoming" }, { direction: "incoming" })),
  "incoming-audio": home(
    callView({ kind: "incoming" }, { direction: "incoming", remote: { microphone: true, camera: false } }),
  ),
  connected: home(callView({ kind: "connected" })),
  "connected-muted": home(
    callView(
      { kind: "connected" },
      { local: { microphone: false, camera: false }, remote: { microphone: false, camera: true } },
    ),
  ),
  "camera-off": home(callView({ kind: "connected" }, { remote: { microphone: false, camera: false } })),
  notices: {
    ...home(
      callView(
        { kind: "connected" },
        {
          local: { microphone: true, camera: false },
          serverReachable: false,
          notices: [
            {
              kind: "camera",
              cause: "missing",
              message: "No camera found – the call goes on without your picture",
            },
          ],
        },
      ),
    ),
    standIns: ["microphone"],
  },
  "notices-denied": home(
    callView(
      { kind: "connected" },
      {
        local: { microphone: false, camera: false },
        notices: [
          { kind: "camera", cause: "taken", message: "" },
          { kind: "microphone", cause: "denied", message: "" },
        ],
      },
    ),
  ),
  toasts: {
    ...home(callView({ kind: "connected" })),
    devices: {
      ...devices,
      toasts: [
        {
          id: 1,
          what: {
            kind: "appeared",
            name: "USB Headset",
            uses: [
              { device: "microphone", id: "usb headset" },
              { device: "speaker", id: "usb headset" },
            ],
          },
        },
        { id: 2, what: { kind: "gone", device: "speaker", name: "AirPods", using: "Built-in speakers" } },
      ],
    },
  },
  "answered-outside": {
    ...home(callView({ kind: "connected" }, { local: { microphone: true, camera: false } })),
    answeredFromOutside: "call-1",
  },
  unstable: home(callView({ kind: "connected" }, { connection: "unstable" })),
  poor: home(
    callView(
      { kind: "connected" },
      { connection: "poor", local: { microphone: true, camera: true, videoPaused: true } },
    ),
  ),
  "peer-poor": home(
    callView({ kind: "connected" }, { remote: { microphone: true, camera: false, videoPaused: true } }),
  ),
  speaking: home(
    callView(
      { kind: "connected" },
      {
        speaking: { local: true, remote: true },
        local: { microphone: true, camera: false },
        remote: { microphone: true, camera: false },
      },
    ),
  ),
  "muted-hint": home(
    callView(
      { kind: "connected" },
      { microphoneHint: "speaksWhileMuted", local: { microphone: false, camera: true } },
    ),
  ),
  reconnecting: home(callView({ kind: "reconnecting" })),
  "reconnecting-offline": home(callView({ kind: "reconnecting" }, { serverReachable: false })),
  "long-name": home(
    callView(
      { kind: "connected" },
      {
        peer: { userId: "x", name: "Bartholomäus von Hohenstein-Wittgenburg zu Lichtenfels" },
        remote: { microphone: false, camera: false },
      },
    ),
  ),
  ended: home(
    callView({ kind: "ended", reason: "remoteHungUp" }, { connectedAtMs: 1_000, endedAtMs: 1_000 + 754_000 }),
  ),
  "missed-in-call": home(callView({ kind: "connected" }), { missed: [missed] }),
  "missed-ended": home(
    callView({ kind: "ended", reason: "remoteHungUp" }, { connectedAtMs: 1_000, endedAtMs: 1_000 + 754_000 }),
    { missed: [missed] },
  ),
  "home-recent": home(null, { missed: [missed], recent }),
  "home-selected-recent": home(null, { recent }),
  "ended-offline": home(callView({ kind: "ended", reason: "offline" })),
  "ended-failed": home(callView({ kind: "ended", reason: "connectionFailed" })),
};

/** Actions that do nothing, and succeed. */
const stage = (mean: number): StageStats => ({ mean, p50: mean, p95: mean * 2 });

/** The figures of a call in which both cameras are on. */
export const callStats: CallStats = {
  t: 1_795_000_000_000,
  state: "connected",
  video: {
    in: {
      framesDecoded: 900,
      framesPerSecond: 29.9,
      frameWidth: 1280,
      frameHeight: 720,
      bytesReceived: 7_000_000,
      freezeCount: 2,
      totalFreezesDuration: 0.5,
      latencyMs: { p50: null, p95: null, p99: null, count: 0 },
      totalAssemblyTime: 1.8,
      framesAssembledFromMultiplePackets: 890,
      jitterBufferDelay: 3.6,
      jitterBufferEmittedCount: 900,
      totalDecodeTime: 1.8,
      totalProcessingDelay: 5.4,
      stages: {
        transfer: stage(30.25),
        assemble: stage(2),
        wait: stage(2.5),
        decode: stage(3.25),
        paint: stage(1),
      },
    },
    out: {
      framesEncoded: 900,
      framesPerSecond: 30,
      frameWidth: 960,
      frameHeight: 540,
      bytesSent: 6_000_000,
      targetBitrate: 1_800_000,
      qualityLimitationReason: "bandwidth",
      encoder: "OpenH264",
      codec: "h264",
      totalEncodeTime: 3.5,
      totalPacketSendDelay: 9,
      stages: { convert: stage(0.5), encode: stage(4), send: stage(1.5) },
    },
  },
  audio: {
    in: {
      packetsReceived: 1500,
      packetsLost: 15,
      concealedSamples: 7200,
      totalSamplesReceived: 1_440_000,
      jitterBufferDelayMs: 21.5,
      speaking: true,
    },
    out: { packetsSent: 1500, speaking: false },
  },
  sync: { soundLaterMs: 27.5, pictureWaitMs: 0, soundWaitMs: 0 },
  transport: {
    rttMs: 48.3,
    availableOutgoingBitrate: 2_100_000,
    lossRate: 0.012,
    localCandidateType: "host",
    remoteCandidateType: "srflx",
  },
  setup: { ringMs: 80, iceMs: 30, dtlsMs: 12, acceptToFirstFrameMs: 60 },
};

export const invite: InviteView = {
  link: "https://192.168.178.20:7450/i?fp=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8#nothing-that-opens-a-door",
  qr: { size: 21, path: "M0 0h7v1h-7zM14 0h7v1h-7z" },
  reach: "network",
  people: 5,
  days: 7,
};

/** What paints nothing. */
export const noMedia: MediaSession = {
  clear: () => undefined,
  picture: () => Promise.resolve(new Uint8Array()),
  close: () => undefined,
};

export const idle: Actions = {
  start: () => Promise.resolve(),
  signOut: () => Promise.resolve(),
  useAccount: () => Promise.resolve(),
  openInvitation: () => Promise.resolve(),
  pasteInvitation: () => Promise.resolve(),
  lookAgain: () => Promise.resolve(),
  join: () => Promise.resolve(),
  dismissInvitation: () => Promise.resolve(),
  openToNetwork: () => Promise.resolve(),
  makeInvite: () => Promise.resolve(invite),
  copyInvite: () => Promise.resolve(),
  addContact: (name) => Promise.resolve(contact(name)),
  acceptContact: () => Promise.resolve(),
  declineContact: () => Promise.resolve(),
  removeContact: () => Promise.resolve(),
  blockContact: () => Promise.resolve(),
  unblockContact: () => Promise.resolve(),
  setStatus: () => Promise.resolve(),
  placeCall: () => Promise.resolve(),
  callInstead: () => Promise.resolve(),
  forgetMissed: () => Promise.resolve(),
  acceptCall: () => Promise.resolve(),
  declineCall: () => Promise.resolve(),
  endCall: () => Promise.resolve(),
  dismissCall: () => Promise.resolve(),
  setMicrophoneMuted: () => Promise.resolve(),
  setCameraEnabled: () => Promise.resolve(),
  setVideoKept: () => Promise.resolve(),
  callStats: () => Promise.resolve(callStats),
  setVoice: () => Promise.resolve(),
  setFullHd: () => Promise.resolve(),
  setDevice: () => Promise.resolve(),
  setRotation: () => Promise.resolve(),
  mediaSocket: () => Promise.resolve({ url: "", token: "" }),
  setRehearsal: () => Promise.resolve(),
  setSoundTest: () => Promise.resolve(),
  setAppearance: () => Promise.resolve(),
  setAlerts: () => Promise.resolve(),
  setMuteKey: () => Promise.resolve(),
  setKeepsCallWhenClosing: () => Promise.resolve(),
  autostart: () => Promise.resolve(false),
  setAutostart: () => Promise.resolve(),
  openSystemSettings: () => Promise.resolve(),
  displayName: () => Promise.resolve(null),
  setDisplayName: () => Promise.resolve(),
  testServer: () => Promise.resolve({ answeredAfterMs: 24, trust: "invitation" }),
  setIceServers: () => Promise.resolve(),
  setRelayOnly: () => Promise.resolve(),
  setAvatar: () => Promise.resolve(),
  removeAvatar: () => Promise.resolve(),
  forgetAccount: () => Promise.resolve(),
  measureConnection: () => Promise.resolve(24),
  saveScreenshot: () => Promise.resolve("/home/jonas/Pictures/Vireo 2026-11-07 12-00-00.png"),
  exportStatistics: () => Promise.resolve("/home/jonas/Downloads/vireo-statistics.csv"),
  exportLog: () => Promise.resolve("/home/jonas/Downloads/vireo-log.txt"),
  dismissRinging: () => Promise.resolve(),
  closeWindow: () => Promise.resolve(),
  stayOpen: () => Promise.resolve(),
  showMainWindow: () => Promise.resolve(),
  quit: () => Promise.resolve(),
};
