import { mount } from "svelte";
import { openMediaWith } from "./call/media/session";
import SmallWindow from "./call/SmallWindow.svelte";
import { backend, watchCall } from "./shared/backend";
import { currentLanguage } from "./shared/i18n";
import { calls } from "./shared/views.svelte";
import "./shared/tokens.css";
import "./shared/hues.css";
import "./shared/base.css";

document.documentElement.lang = currentLanguage();

const target = document.getElementById("app");
if (target !== null) {
  mount(SmallWindow, { target, props: { calls, actions: backend, openMedia: openMediaWith(backend) } });
  void watchCall((call) => {
    calls.take(call);
  });
}
