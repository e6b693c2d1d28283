import { mount } from "svelte";
import App from "../App.svelte";
import type { OpenMedia } from "../call/media/session";
import { setLanguage } from "../shared/i18n";
import { idle, noMedia, people, views } from "./fixtures";

/** Something like a person in front of a window, so that a screen can be judged with a picture on it. */
function paintPerson(canvas: HTMLCanvasElement, warm: boolean): void {
  canvas.width = 1280;
  canvas.height = 720;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const wall = context.createLinearGradient(0, 0, 1280, 720);
  wall.addColorStop(0, warm ? "#d9cbb4" : "#b9c8d4");
  wall.addColorStop(1, warm ? "#8d7a63" : "#62788a");
  context.fillStyle = wall;
  context.fillRect(0, 0, 1280, 720);
  context.fillStyle = "#f4f1e8";
  context.fillRect(120, 60, 260, 330);
  context.fillStyle = warm ? "#30495c" : "#4d3a55";
  context.beginPath();
  context.ellipse(660, 720, 330, 270, 0, 0, 7);
  context.fill();
  context.fillStyle = "#c99a7a";
  context.beginPath();
  context.ellipse(660, 340, 130, 165, 0, 0, 7);
  context.fill();
}

const paint: OpenMedia = (remote, own, events) => {
  if (remote !== null) {
    paintPerson(remote, true);
    events.picture("remote", 1280, 720);
  }
  if (own !== null) paintPerson(own, false);
  events.picture("self", 1280, 720);
  return noMedia;
};

/** Shows one fixture: `?screen=home&lang=ru&theme=dark`. */
export function tell(screen: string, target: HTMLElement): void {
  // The fixtures name their language themselves, not the system.
  const query = new URLSearchParams(location.search);
  setLanguage(query.get("lang") ?? "en");
  document.documentElement.dataset["theme"] = query.get("theme") ?? "light";
  const current = views[screen] ?? null;
  const initial = screen.includes("selected") ? (people[0]?.userId ?? null) : query.get("person");
  mount(App, { target, props: { views: { current }, actions: idle, openMedia: paint, initial } });
}
