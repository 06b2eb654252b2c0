// Pictures on their way from a file, the clipboard or the camera to the page: made small enough to be sent, kept nowhere.
(function () {
  "use strict";

  // the server takes a million bytes in a request
  const MOST_CHARACTERS = 900000;
  const LONGEST = 2560;
  const CAMERA_LONGEST = 1280;
  const QUALITIES = [0.92, 0.85, 0.75];
  const SENT_AS_THEY_ARE = /^data:image\/(png|jpeg|webp|gif|bmp);base64,/;
  const BETWEEN_LOOKS = 1000;
  const PATIENCE = 30000;

  // `asked` is the press that counts: another one, or the way to another page, takes its place
  const camera = { asked: null, stream: null, video: null, turn: null, waits: null, since: 0, watch: null };
  let last = 0;
  // whether somebody was read under the tick of agreement, which holds for one picture or one turn of the camera
  let spent = false;

  function nextNumber() {
    last = Math.max(last + 1, Date.now());
    return last;
  }

  function encoded(drawable, width, height, longest) {
    const canvas = document.createElement("canvas");
    for (let side = longest; ; side *= 0.8) {
      const scale = Math.min(1, side / Math.max(width, height));
      canvas.width = Math.max(1, Math.round(width * scale));
      canvas.height = Math.max(1, Math.round(height * scale));
      const brush = canvas.getContext("2d");
      brush.fillStyle = "#fff";
      brush.fillRect(0, 0, canvas.width, canvas.height);
      brush.drawImage(drawable, 0, 0, canvas.width, canvas.height);
      for (const quality of QUALITIES) {
        const data = canvas.toDataURL("image/jpeg", quality);
        if (data.length <= MOST_CHARACTERS) return data;
      }
    }
  }

  async function fitted(contents, name) {
    if (contents.length <= MOST_CHARACTERS && SENT_AS_THEY_ARE.test(contents)) return contents;
    const image = new Image();
    image.src = contents;
    try {
      await image.decode();
    } catch (_error) {
      throw new Error(name + " is no picture that this browser can show: save it as PNG or JPEG.");
    }
    return encoded(image, image.naturalWidth, image.naturalHeight, LONGEST);
  }

  async function given(contents, name) {
    end();
    return { number: nextNumber(), name: name, data: await fitted(contents, name), turn: null };
  }

  function off(stream) {
    stream.getTracks().forEach((track) => track.stop());
  }

  function end(why) {
    if (camera.watch) clearInterval(camera.watch);
    if (camera.stream) off(camera.stream);
    if (camera.asked && document.getElementById("studio-camera")) {
      window.dash_clientside.set_props("studio-camera", { children: "Use the camera" });
      if (why) window.dash_clientside.set_props("studio-problem", { children: why });
    }
    Object.assign(camera, { asked: null, stream: null, video: null, turn: null, waits: null, watch: null });
  }

  function counts(asked) {
    return camera.asked === asked && document.getElementById("studio-camera") === asked.button;
  }

  function untick() {
    const was = spent;
    spent = false;
    return was ? false : window.dash_clientside.no_update;
  }

  function look() {
    const video = camera.video;
    if (!video || camera.waits !== null || !video.videoWidth) return;
    camera.waits = nextNumber();
    camera.since = Date.now();
    const data = encoded(video, video.videoWidth, video.videoHeight, CAMERA_LONGEST);
    window.dash_clientside.set_props("studio-picture", {
      data: { number: camera.waits, name: "camera", data: data, turn: camera.turn },
    });
  }

  // the page may be left, the camera pulled out, an answer may never come
  function watch() {
    const track = camera.stream.getVideoTracks()[0];
    if (!counts(camera.asked) || !track) return end();
    if (track.readyState === "ended") return end("The camera was taken away: plug it in, then press again.");
    if (camera.waits !== null && Date.now() - camera.since > PATIENCE)
      return end("classpulse gave no answer for half a minute: see whether it still runs, then press again.");
    if (camera.waits === null && Date.now() - camera.since >= BETWEEN_LOOKS) look();
  }

  function refused(error) {
    switch (error && error.name) {
      case "NotAllowedError":
        return "The browser may not use the camera: allow it beside the address, then press again.";
      case "NotFoundError":
        return "There is no camera: plug one in, then press again.";
      case "NotReadableError":
        return "Another program holds the camera: end its call, then press again.";
      default:
        return "The camera cannot be used (" + ((error && error.name) || "unknown") + ").";
    }
  }

  async function begin() {
    if (!navigator.mediaDevices) return "A browser gives its camera to this computer's own pages or over HTTPS only.";
    end();
    const asked = { button: document.getElementById("studio-camera") };
    camera.asked = asked;
    window.dash_clientside.set_props("studio-camera", { children: "Stop the camera" });
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } }, audio: false });
      if (!counts(asked)) {
        off(stream);
        return "";
      }
      const video = document.createElement("video");
      video.muted = true;
      video.playsInline = true;
      video.srcObject = stream;
      Object.assign(camera, { stream: stream, video: video, turn: nextNumber(), waits: null, since: 0 });
      // it also sees to it that the camera goes off while its first picture is waited for
      camera.watch = setInterval(watch, 200);
      await video.play();
    } catch (error) {
      if (!counts(asked)) return "";
      end();
      return refused(error);
    }
    return "";
  }

  document.addEventListener("paste", function (event) {
    if (!document.getElementById("studio-picture") && !document.getElementById("studio-upload")) return;
    const files = event.clipboardData ? Array.from(event.clipboardData.files) : [];
    const file = files.find((one) => one.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    const reader = new FileReader();
    reader.onload = function () {
      window.dash_clientside.set_props("studio-upload", { contents: reader.result, filename: file.name || "pasted" });
    };
    reader.readAsDataURL(file);
  });

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.classpulseStudio = {
    // the same file may be given twice: the field is emptied
    file: async function (contents, name) {
      const no = window.dash_clientside.no_update;
      if (!contents) return [no, no, no, no];
      try {
        return [await given(contents, String(name || "picture")), "", null, untick()];
      } catch (error) {
        return [no, error.message, null, no];
      }
    },

    // a press while the browser still asks for permission takes the first one back
    camera: async function (clicks) {
      const no = window.dash_clientside.no_update;
      if (!clicks) return [no, no, no];
      if (camera.asked && counts(camera.asked)) {
        end();
        return ["Use the camera", "", no];
      }
      const problem = await begin();
      return [camera.stream ? "Stop the camera" : "Use the camera", problem, camera.stream ? untick() : no];
    },

    // the picture stands under its own marks, not under those of the one before
    show: function (answer, picture) {
      const no = window.dash_clientside.no_update;
      if (!answer || !picture) return [no, no];
      if (camera.waits === answer.number) camera.waits = null;
      spent = spent || answer.agreed;
      if (answer.number !== picture.number) return [no, no];
      return answer.read ? [picture.data, "cp-view-picture"] : [no, "cp-hidden"];
    },

    // what a calibration is by now, unless it has become another one since that was asked
    ended: function (told, state) {
      const no = window.dash_clientside.no_update;
      if (!told || JSON.stringify(told.before) !== JSON.stringify(state || null)) return [no, no];
      return [told.state, told.said || no];
    },
  };
})();
