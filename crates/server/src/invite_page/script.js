// What stands after the # never leaves the browser but into Vireo. Without this script the page says how to paste it there.
const token = location.hash.slice(1);
const complete = /^[\w-]{1,256}$/.test(token);
const open = document.getElementById("open");
const copy = document.getElementById("copy");
document.getElementById("incomplete").hidden = complete;
if (complete && location.protocol === "https:") {
  open.href = location.href.replace(/^https:/, "vireo:");
  open.hidden = false;
}
if (complete && navigator.clipboard) {
  copy.hidden = false;
  copy.onclick = async () => {
    await navigator.clipboard.writeText(location.href);
    copy.textContent = copy.dataset.done;
  };
}
