import { render } from "@testing-library/svelte";
import axe from "axe-core";
import { tick } from "svelte";
import { beforeEach, expect, it, vi } from "vitest";
import App from "./App.svelte";
import { idle, noMedia, views } from "./dev/fixtures";
import { pages } from "./settings/pages";
import { setLanguage } from "./shared/i18n";

/** What axe-core finds serious or critical. Contrast needs a window that paints: that is looked at in `desktop_screens.rs`. */
async function serious(): Promise<string[]> {
  const { violations } = await axe.run(document, {
    rules: { "color-contrast": { enabled: false } },
    resultTypes: ["violations"],
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

beforeEach(() => {
  setLanguage("en");
  document.title = "Vireo";
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe = () => undefined;
      disconnect = () => undefined;
    },
  );
  // What jsdom leaves out.
  HTMLCanvasElement.prototype.getContext = () => null;
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
});

const show = (name: string) => {
  const current = views[name];
  if (current === undefined) throw new Error(name);
  return render(App, { views: { current }, actions: idle, openMedia: () => noMedia });
};
const press = async (code: string, more: KeyboardEventInit) => {
  window.dispatchEvent(new KeyboardEvent("keydown", { code, ...more }));
  await tick();
};

it.each(Object.keys(views))("the screen %s can be used by everybody", async (name) => {
  const { unmount } = show(name);
  expect(await serious()).toEqual([]);
  unmount();
});

it.each(pages.map(({ name }) => name))("the settings' page %s can be used by everybody", async (name) => {
  const { container } = show("home");
  await press("Comma", { ctrlKey: true });
  container.querySelector<HTMLButtonElement>(`[data-page=${name}]`)?.click();
  await tick();
  expect(container.querySelector(`[data-page=${name}][aria-selected=true]`)).not.toBeNull();
  expect(await serious()).toEqual([]);
});

it("the list of shortcuts can be used by everybody", async () => {
  const { container } = show("connected");
  await press("Slash", { shiftKey: true, key: "?" });
  expect(container.querySelector("[data-shortcuts]")).not.toBeNull();
  expect(await serious()).toEqual([]);
});

it.each(["microphone-menu", "camera-menu", "more"])("the menu %s can be used by everybody", async (name) => {
  const { container } = show("connected");
  container.querySelector<HTMLButtonElement>(`[data-action=${name}]`)?.click();
  await tick();
  expect(container.querySelector(`[data-action=${name}][aria-expanded=true]`)).not.toBeNull();
  expect(await serious()).toEqual([]);
});
