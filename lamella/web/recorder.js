/* Sounds for nets: recorded from the microphone, and whatever the browser can play, as WAV of one channel. */

import { button, el } from "./dom.js";

const RATE = 16000; // samples a second: what speech needs
const MOST = 120; // seconds of a recording
const SENT = /^(audio\/(x-)?(wav|wave|flac|ogg|mpeg)|audio\/vnd\.wave)$/; // what the server reads as it is

/** A button that records and says so -> node; `done(uri)` gets the sound, `failed(error)` what went wrong. */
export function recorder(done, failed) {
  let running = null;
  const note = el("span", { class: "hint", role: "status" });
  const press = button("Record", () => (running ? running.stop() : begin()), { class: "record" });
  if (!navigator.mediaDevices?.getUserMedia) {
    press.disabled = true;
    note.textContent = "This page may not use a microphone: open it from this machine, or over https.";
  }

  async function begin() {
    try {
      press.disabled = true;
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      running = listen(stream, (seconds) => {
        note.textContent = `Recording, ${seconds} s`;
        if (seconds >= MOST) running?.stop();
      }, (samples, rate) => {
        running = null;
        press.textContent = "Record";
        note.textContent = "";
        done(waveOf(samples, rate));
      });
      press.textContent = "Stop";
    } catch (error) {
      failed(new Error(`The microphone cannot be used: ${error.message}. Choose a file instead.`));
    } finally {
      press.disabled = false;
    }
  }
  return el("div", { class: "recording" }, press, " ", note);
}

/** Collect what a microphone gives until stop() is called. */
function listen(stream, tick, ended) {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(stream);
  const node = context.createScriptProcessor(4096, 1, 1); // in every browser, and needs no file of its own
  const parts = [];
  let count = 0;
  node.onaudioprocess = (event) => {
    const part = event.inputBuffer.getChannelData(0).slice();
    parts.push(part);
    count += part.length;
    tick(Math.floor(count / context.sampleRate));
  };
  source.connect(node);
  node.connect(context.destination);
  return {
    stop() {
      node.disconnect();
      source.disconnect();
      for (const track of stream.getTracks()) track.stop();
      const samples = new Float32Array(count);
      let at = 0;
      for (const part of parts) {
        samples.set(part, at);
        at += part.length;
      }
      const rate = context.sampleRate;
      context.close();
      ended(samples, rate);
    },
  };
}

/** A file as it is where the server reads such files, else decoded by the browser: videos and what telephones record. */
export async function soundOf(file, asUri) {
  if (SENT.test(file.type) || /\.(wav|flac|og[ga]|opus|mp3)$/i.test(file.name)) return asUri(file);
  const context = new OfflineAudioContext(1, RATE, RATE);
  let heard;
  try {
    heard = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name}: this is no sound that a browser can play. Expected WAV, FLAC, Ogg, MP3 or M4A.`);
  }
  const samples = new Float32Array(heard.length);
  for (let channel = 0; channel < heard.numberOfChannels; channel += 1) {
    heard.getChannelData(channel).forEach((v, i) => { samples[i] += v / heard.numberOfChannels; });
  }
  return waveOf(samples, heard.sampleRate);
}

/** Samples -> WAV of 16 bits as a data: URI, at their own rate. */
export function waveOf(samples, rate) {
  const raw = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const word = (at, text) => [...text].forEach((c, i) => raw.setUint8(at + i, c.charCodeAt(0)));
  word(0, "RIFF");
  raw.setUint32(4, 36 + 2 * samples.length, true);
  word(8, "WAVEfmt ");
  raw.setUint32(16, 16, true);
  raw.setUint16(20, 1, true); // PCM
  raw.setUint16(22, 1, true); // channel
  raw.setUint32(24, rate, true);
  raw.setUint32(28, 2 * rate, true);
  raw.setUint16(32, 2, true);
  raw.setUint16(34, 16, true);
  word(36, "data");
  raw.setUint32(40, 2 * samples.length, true);
  samples.forEach((v, i) => raw.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, v)) * 32767, true));
  const bytes = new Uint8Array(raw.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:audio/wav;base64,${btoa(text)}`;
}
