import Bell from "@lucide/svelte/icons/bell";
import Info from "@lucide/svelte/icons/info";
import Keyboard from "@lucide/svelte/icons/keyboard";
import Mic from "@lucide/svelte/icons/mic";
import Palette from "@lucide/svelte/icons/palette";
import Shield from "@lucide/svelte/icons/shield";
import User from "@lucide/svelte/icons/user";
import Video from "@lucide/svelte/icons/video";
import Wifi from "@lucide/svelte/icons/wifi";
import type { Component } from "svelte";
import type { AppView } from "../../bindings/AppView";
import type { ClientView } from "../../bindings/ClientView";
import type { OpenMedia } from "../../call/media/session";
import type { Actions } from "../../shared/actions";
import type { PlainKey } from "../../shared/i18n";
import AboutPage from "./AboutPage.svelte";
import AppearancePage from "./AppearancePage.svelte";
import AudioPage from "./AudioPage.svelte";
import NetworkPage from "./NetworkPage.svelte";
import NotificationsPage from "./NotificationsPage.svelte";
import PrivacyPage from "./PrivacyPage.svelte";
import ProfilePage from "./ProfilePage.svelte";
import ShortcutsPage from "./ShortcutsPage.svelte";
import VideoPage from "./VideoPage.svelte";

/** What every page of the settings gets. */
export interface PageProps {
  view: AppView;
  account: ClientView;
  actions: Actions;
  openMedia: OpenMedia;
  /** Waits for the action, and says where it fails. */
  change: (action: Promise<unknown>) => void;
}

/** A page of the settings. */
interface Page {
  name: string;
  label: PlainKey;
  icon: typeof Mic;
  /** One that says the same whatever there is takes nothing. */
  component: Component<PageProps> | Component<Record<string, never>>;
}

/** All of them, in the order in which they are listed. */
export const pages = [
  { name: "profile", label: "settings.profile", icon: User, component: ProfilePage },
  { name: "audio", label: "settings.audio", icon: Mic, component: AudioPage },
  { name: "video", label: "settings.video", icon: Video, component: VideoPage },
  { name: "notifications", label: "settings.notifications", icon: Bell, component: NotificationsPage },
  { name: "shortcuts", label: "settings.shortcuts", icon: Keyboard, component: ShortcutsPage },
  { name: "privacy", label: "settings.privacy", icon: Shield, component: PrivacyPage },
  { name: "network", label: "settings.network", icon: Wifi, component: NetworkPage },
  { name: "appearance", label: "settings.appearance", icon: Palette, component: AppearancePage },
  { name: "about", label: "settings.about", icon: Info, component: AboutPage },
] as const satisfies readonly Page[];

export type PageName = (typeof pages)[number]["name"];
