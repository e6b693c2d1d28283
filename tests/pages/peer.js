// A client of Vireo's for the browser, written from PROTOCOL.md alone. The tests load it to be the other side of a call.

/** Signs in and returns a connected client. */
export async function connect(server, name, password) {
  const reply = await fetch(`${server}/api/sign-in`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  const session = await reply.json();
  if (!reply.ok) throw new Error(session.message);
  const client = new Client(server, session.accessToken);
  await client.opened;
  return client;
}

class Client {
  #socket;
  #nextId = 1;
  #replies = new Map();
  #listeners = [];

  constructor(server, token) {
    this.#socket = new WebSocket(`${server.replace(/^http/, "ws")}/api/ws`, ["vireo", `vireo.token.${token}`]);
    this.#socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    this.opened = new Promise((resolve, reject) => {
      this.#socket.onerror = () => reject(new Error("the WebSocket failed"));
      this.#socket.onopen = () => resolve();
    }).then(async () => {
      this.hello = await this.request({ type: "hello", version: 2, client: "test-page/1" });
    });
  }

  request(message) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#replies.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, ...message }));
    });
  }

  #receive(message) {
    if (message.id !== undefined && message.id !== null) {
      const waiting = this.#replies.get(message.id);
      this.#replies.delete(message.id);
      const failed = message.type === "error" || message.type === "call:error";
      if (failed) waiting?.reject(new Error(`${message.code}: ${message.message}`));
      else waiting?.resolve(message);
      return;
    }
    for (const listener of [...this.#listeners]) listener(message);
  }

  onMessage(listener) {
    this.#listeners.push(listener);
  }

  /** Resolves with the next message of this type. */
  next(type) {
    return new Promise((resolve) => {
      const listener = (message) => {
        if (message.type !== type) return;
        this.#listeners.splice(this.#listeners.indexOf(listener), 1);
        resolve(message);
      };
      this.#listeners.push(listener);
    });
  }

  async chatWith(name) {
    const { contacts } = await this.request({ type: "contacts:list" });
    const contact = contacts.find((contact) => contact.name === name);
    if (!contact?.chatId) throw new Error(`${name} is not a contact`);
    return contact.chatId;
  }
}

class Call {
  candidatesBefore = [];
  ended = false;

  constructor(client, callId, chatId) {
    this.client = client;
    this.callId = callId;
    this.chatId = chatId;
    this.connection = new RTCPeerConnection({ iceServers: client.hello.iceServers });
    this.connection.onicecandidate = ({ candidate }) => {
      if (candidate) this.send("call:ice-candidate", { candidate: candidate.toJSON() }).catch(() => {});
    };
    this.connection.ontrack = ({ track }) => this.#show(track);
    client.onMessage((message) => message.callId === callId && this.#receive(message));
  }

  send(type, fields = {}) {
    return this.client.request({ type, callId: this.callId, chatId: this.chatId, ...fields });
  }

  async #receive(message) {
    switch (message.type) {
      case "call:ice-candidate":
        if (this.connection.remoteDescription) await this.connection.addIceCandidate(message.candidate);
        else this.candidatesBefore.push(message.candidate);
        break;
      case "call:media-state":
        this.remoteMediaState = message.mediaState;
        break;
      case "call:end":
      case "call:rejected":
      case "call:error":
        this.ended = message.reason ?? message.code ?? "rejected";
        this.connection.close();
        break;
    }
  }

  async describeRemote(description) {
    await this.connection.setRemoteDescription(description);
    for (const candidate of this.candidatesBefore.splice(0)) await this.connection.addIceCandidate(candidate);
  }

  #show(track) {
    const element = document.createElement(track.kind);
    element.srcObject = new MediaStream([track]);
    element.autoplay = true;
    document.body.append(element);
  }

  async addOwnMedia() {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: true,
      video: { width: 640, height: 360, frameRate: 30 },
    });
    for (const track of stream.getTracks()) this.connection.addTrack(track, stream);
  }

  async hangUp() {
    await this.send("call:end", { reason: "hung-up" });
    this.connection.close();
  }

  /** Cumulative figures of what arrives and of the picture that is sent, by W3C names. */
  async figures() {
    const figures = { state: this.connection.connectionState, ended: this.ended };
    for (const stat of (await this.connection.getStats()).values()) {
      if (stat.type === "inbound-rtp" && stat.kind === "video") {
        const { framesDecoded, frameWidth, frameHeight, packetsLost, keyFramesDecoded } = stat;
        figures.video = { framesDecoded, frameWidth, frameHeight, packetsLost, keyFramesDecoded };
        figures.videoCodecId = stat.codecId;
      }
      if (stat.type === "outbound-rtp" && stat.kind === "video") {
        figures.sent = { framesSent: stat.framesSent };
      }
      if (stat.type === "inbound-rtp" && stat.kind === "audio") {
        const { packetsReceived, totalAudioEnergy, totalSamplesReceived, concealedSamples } = stat;
        figures.audio = { packetsReceived, totalAudioEnergy, totalSamplesReceived, concealedSamples };
      }
    }
    const codec = (await this.connection.getStats()).get(figures.videoCodecId);
    figures.videoCodec = codec?.mimeType;
    return figures;
  }
}

/** Rings somebody, with this codec first (`video/H264` or `video/VP8`); resolves when they have accepted. */
export async function call(client, name, mimeType) {
  const chatId = await client.chatWith(name);
  const call = new Call(client, crypto.randomUUID(), chatId);
  await call.addOwnMedia();
  const video = call.connection.getTransceivers().find((transceiver) => transceiver.sender.track?.kind === "video");
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
  video.setCodecPreferences(codecs.filter((codec) => codec.mimeType === mimeType));
  const answered = client.next("call:answer");
  const offer = await call.connection.createOffer();
  await call.send("call:initiate", {
    offer: { type: "offer", sdp: offer.sdp },
    mediaState: { microphone: true, camera: true },
  });
  await call.connection.setLocalDescription(offer);
  const { answer } = await answered;
  await call.describeRemote(answer);
  return call;
}

/** Waits for a call and accepts it. */
export async function answer(client) {
  const message = await client.next("call:offer");
  const call = new Call(client, message.callId, message.chatId);
  await call.send("call:ringing");
  await call.addOwnMedia();
  await call.describeRemote(message.offer);
  const answer = await call.connection.createAnswer();
  await call.connection.setLocalDescription(answer);
  await call.send("call:answer", {
    answer: { type: "answer", sdp: answer.sdp },
    mediaState: { microphone: true, camera: true },
  });
  return call;
}
