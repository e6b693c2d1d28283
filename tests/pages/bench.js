// One side of a Chromium ↔ Chromium call with the same pictures, time code and measures as Vireo's own: the thing it is
// compared with. The pictures come ready-made as I420 from the measuring program, so that drawing them costs nothing here.

const BITS = 30;
const BLOCK = 32;

const unixMs = () => performance.timeOrigin + performance.now();

/** Tenths of a millisecond since 1970, modulo 2^30. */
const code = () => Math.floor(unixMs() * 10) % 2 ** BITS;

function stamp(picture, width) {
  const now = code();
  const block = Math.floor((BLOCK * width) / 1280);
  for (let y = 0; y < block; y++) {
    for (let bit = 0; bit < BITS; bit++) {
      picture.fill((now >> bit) & 1 ? 235 : 16, y * width + bit * block, y * width + (bit + 1) * block);
    }
  }
}

/** The age in milliseconds of a picture whose upper rows of luma are given, or null where they cannot be read. */
function age(luma, stride, width, now) {
  const block = (BLOCK * width) / 1280;
  let stamped = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const value = luma[Math.floor(block / 2) * stride + Math.floor(bit * block + block / 2)];
    if (value > 96 && value < 160) return null;
    if (value >= 160) stamped |= 1 << bit;
  }
  const tenths = (now - stamped + 2 ** BITS) % 2 ** BITS;
  return tenths <= 100_000 ? tenths / 10 : null;
}

/** A camera that plays the given pictures round and round, each with the moment it was given out where that is asked for. */
async function patternTrack(url, { width, height, frameRate, stamped }) {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const size = (width * height * 3) / 2;
  const count = bytes.length / size;
  const generator = new MediaStreamTrackGenerator({ kind: "video" });
  const writer = generator.writable.getWriter();
  const start = performance.now();
  let number = 0;
  const give = () => {
    const picture = bytes.subarray((number % count) * size, ((number % count) + 1) * size);
    if (stamped) stamp(picture, width);
    const timestamp = Math.round(performance.now() * 1000);
    writer.write(new VideoFrame(picture, { format: "I420", codedWidth: width, codedHeight: height, timestamp }));
    number += 1;
    setTimeout(give, Math.max(0, start + (number * 1000) / frameRate - performance.now()));
  };
  give();
  return generator;
}

function toneTrack() {
  const context = new AudioContext({ sampleRate: 48000 });
  const destination = context.createMediaStreamDestination();
  const tone = new OscillatorNode(context, { frequency: 440 });
  tone.connect(new GainNode(context, { gain: 0.2 })).connect(destination);
  tone.start();
  return destination.stream.getAudioTracks()[0];
}

class Side {
  /** Of each: when it was there in Unix milliseconds, its age in milliseconds or null, its rows. */
  pictures = [];
  /** Unix milliseconds, and the bytes of the picture that had come by then; one a second. */
  received = [];

  constructor(options, video) {
    this.options = options;
    this.connection = new RTCPeerConnection();
    this.connection.ontrack = ({ track }) => this.#receive(track);
    this.relay = new WebSocket(`${location.origin.replace("http", "ws")}/relay`);
    this.relayOpened = new Promise((resolve) => (this.relay.onopen = resolve));
    this.relay.onmessage = ({ data }) => this.#signal(JSON.parse(data));
    this.connection.onicecandidate = ({ candidate }) => candidate && this.#send({ candidate });
    this.connection.addTrack(video, new MediaStream([video]));
    this.connection.addTrack(toneTrack());
    const transceiver = this.connection.getTransceivers()[0];
    const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
    transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType === options.mimeType));
    if (options.coded) this.#keep(transceiver.receiver);
    setInterval(() => this.#count(), 1000);
  }

  #send(message) {
    this.relay.send(JSON.stringify(message));
  }

  async #signal({ candidate, offer, answer }) {
    if (candidate) await this.connection.addIceCandidate(candidate);
    if (offer) await this.#accept(offer);
    if (answer) {
      this.began = performance.now();
      await this.connection.setRemoteDescription(answer);
      await this.#limit();
    }
  }

  async call() {
    await this.connection.setLocalDescription();
    this.#send({ offer: this.connection.localDescription });
  }

  async #accept(offer) {
    this.began = performance.now();
    await this.connection.setRemoteDescription(offer);
    await this.connection.setLocalDescription();
    this.#send({ answer: this.connection.localDescription });
    await this.#limit();
  }

  async #limit() {
    const sender = this.connection.getSenders()[0];
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.maxBitrate = this.options.maxBitrate;
    await sender.setParameters(parameters);
  }

  async #receive(track) {
    if (track.kind === "audio") {
      this.speaker = new Audio();
      this.speaker.srcObject = new MediaStream([track]);
      await this.speaker.play();
      return;
    }
    if (this.options.shown) return this.#show(track);
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      await this.#measure(frame, code());
      frame.close();
    }
  }

  /** Has a worker keep the pictures as they come. Set before anything is negotiated: later it has no effect where both send. */
  #keep(receiver) {
    this.worker = new Worker("/coded.js");
    receiver.transform = new RTCRtpScriptTransform(this.worker);
  }

  /** What the worker has kept: of each picture its RTP time, and itself in base64. */
  async coded() {
    const answer = new Promise((resolve) => (this.worker.onmessage = ({ data }) => resolve(data)));
    this.worker.postMessage("coded");
    return answer;
  }

  /** As a page for people does it: the picture fills the window. */
  async #show(track) {
    const screen = document.createElement("video");
    screen.muted = true;
    screen.style = "width: 100%";
    screen.srcObject = new MediaStream([track]);
    document.body.append(screen);
    screen.requestVideoFrameCallback(() => this.pictures.push([unixMs(), null, screen.videoHeight]));
    await screen.play();
  }

  async #measure(frame, now) {
    const at = unixMs();
    this.firstFrameMs ??= performance.now() - this.began;
    const { codedWidth: width, codedHeight: height } = frame;
    const rows = 2 * Math.ceil((BLOCK * width) / 1280 / 2);
    const rect = { x: 0, y: 0, width, height: rows };
    const buffer = new Uint8Array(frame.allocationSize({ rect }));
    const [luma] = await frame.copyTo(buffer, { rect });
    this.pictures.push([at, age(buffer.subarray(luma.offset), luma.stride, width, now), height]);
  }

  async #count() {
    for (const stat of (await this.connection.getStats()).values()) {
      if (stat.type === "inbound-rtp" && stat.kind === "video") this.received.push([unixMs(), stat.bytesReceived]);
    }
  }

  result() {
    const { firstFrameMs, pictures, received } = this;
    return { firstFrameMs, pictures, received };
  }
}

let video;

/** Makes the camera ready; apart from the call, as it is in Vireo's measurement. */
export async function prepare(pictures, options) {
  if (options.everyAddress) {
    // Only a page that may use the microphone learns of every network.
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
  }
  video = await patternTrack(pictures, options);
}

export async function join(options) {
  const side = new Side(options, video);
  await side.relayOpened;
  return side;
}
