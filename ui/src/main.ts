import { mount } from "svelte";
import App from "./App.svelte";
import { openMediaWith } from "./call/media/session";
import { backend, tellStarted, watchLevels, watchView } from "./shared/backend";
import { currentLanguage } from "./shared/i18n";
import { loudness } from "./shared/rehearsal.svelte";
import { Started } from "./shared/started";
import { followSystemTheme } from "./shared/theme";
import { views } from "./shared/views.svelte";
import "./shared/tokens.css";
import "./shared/hues.css";
import "./shared/base.css";

const started = new Started((times) => {
  void tellStarted(times);
});
document.documentElement.lang = currentLanguage();
followSystemTheme();

const target = document.getElementById("app");
if (target !== null) {
  const wanted = import.meta.env.DEV ? new URLSearchParams(location.search).get("screen") : null;
  if (import.meta.env.DEV && wanted !== null) {
    void import("./dev/stories").then(({ tell }) => {
      tell(wanted, target);
    });
  } else {
    mount(App, { target, props: { views, actions: backend, openMedia: openMediaWith(backend) } });
    void watchLevels((levels) => {
      loudness.take(levels);
    });
    void watchView((view) => {
      views.take(view);
      started.take(view);
    });
  }
}
