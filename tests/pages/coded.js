// A worker that keeps the coded pictures as they come, each with its RTP time, and lets them pass.

const kept = [];

onrtctransform = ({ transformer }) => {
  const keep = new TransformStream({
    transform(picture, passing) {
      kept.push([picture.getMetadata().rtpTimestamp, new Uint8Array(picture.data.slice(0))]);
      passing.enqueue(picture);
    },
  });
  transformer.readable.pipeThrough(keep).pipeTo(transformer.writable);
};

/** As text, since that is what the measuring program can read. */
function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

onmessage = () => postMessage(kept.map(([time, bytes]) => [time, base64(bytes)]));
