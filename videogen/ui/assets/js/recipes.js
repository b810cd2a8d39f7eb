// The recipe inside a file that was made here: of an MP4, a PNG or a WebP. Only the bytes that are needed are read, in
// the browser; a file may come from anywhere, so nothing in it is believed before it is looked at.
(() => {
  const { say } = videogen;
  const MOST = 1_000_000; // bytes of a recipe
  const MOST_BOXES = 20_000;
  const COMMENT = "\u00a9cmt";
  const LATIN = new TextDecoder("latin1");

  class Fault extends Error {}

  async function view(file, start, end) {
    const bytes = await file.slice(start, end).arrayBuffer();
    if (bytes.byteLength !== end - start) throw new Fault(say("reuse.cut"));
    return new DataView(bytes);
  }

  const name = (data, at) => LATIN.decode(new Uint8Array(data.buffer, data.byteOffset + at, 4));
  const utf8 = (data, from = 0) => {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(data.buffer, data.byteOffset + from));
    } catch {
      throw new Fault(say("reuse.broken"));
    }
  };

  /** The box at `at`, inside what ends at `end`: its type, and where its content begins and ends. */
  async function box(file, at, end) {
    if (at + 8 > end) throw new Fault(say("reuse.cut"));
    const head = await view(file, at, Math.min(at + 16, end));
    let size = head.getUint32(0);
    let start = at + 8;
    if (size === 1) {
      if (head.byteLength < 16) throw new Fault(say("reuse.cut"));
      size = Number(head.getBigUint64(8));
      start = at + 16;
    } else if (size === 0) size = end - at; // it is the last one
    if (at + size < start) throw new Fault(say("reuse.broken"));
    if (at + size > end) throw new Fault(say("reuse.cut"));
    return { type: name(head, 4), start, end: at + size };
  }

  /** The first box of a type; all are looked at, so that a file that was cut is noticed. */
  async function find(file, type, start, end) {
    let found = null;
    let count = 0;
    for (let at = start; at < end; ) {
      if (++count > MOST_BOXES) throw new Fault(say("reuse.broken"));
      const one = await box(file, at, end);
      if (one.type === type) found ??= one;
      at = one.end;
    }
    return found;
  }

  async function ofMp4(file) {
    let inside = { start: 0, end: file.size };
    for (const type of ["moov", "udta", "meta", "ilst", COMMENT, "data"]) {
      const start = inside.type === "meta" ? inside.start + 4 : inside.start; // it has a version before its boxes
      inside = await find(file, type, Math.min(start, inside.end), inside.end);
      if (inside === null) return null;
    }
    if (inside.end - inside.start > MOST) throw new Fault(say("reuse.long"));
    const data = await view(file, inside.start, inside.end);
    return data.byteLength < 8 ? null : utf8(data, 8); // behind its type and its language
  }

  const PNG_END = "0000000049454e44ae426082";

  async function ofPng(file) {
    for (let at = 8, count = 0; at + 12 <= file.size && count < 1000; count += 1) {
      const head = await view(file, at, at + 8);
      const size = head.getUint32(0);
      if (name(head, 4) === "IDAT") return null; // what is told stands before the picture
      if (name(head, 4) === "iTXt" && size <= MOST) {
        const told = pngText(await view(file, at + 8, at + 8 + size));
        if (told !== null) {
          const end = new Uint8Array((await view(file, file.size - 12, file.size)).buffer);
          if ([...end].map((one) => one.toString(16).padStart(2, "0")).join("") !== PNG_END) throw new Fault(say("reuse.cut"));
          return told;
        }
      }
      at += 12 + size;
    }
    return null;
  }

  /** The text of an iTXt chunk with our keyword: keyword, 0, plain, 0, language, 0, keyword again, 0, text. */
  function pngText(data) {
    const bytes = new Uint8Array(data.buffer);
    if (LATIN.decode(bytes.subarray(0, 8)) !== "Comment\0" || bytes[8] !== 0) return null;
    const language = bytes.indexOf(0, 10);
    const again = language < 0 ? -1 : bytes.indexOf(0, language + 1);
    return again < 0 ? null : utf8(data, again + 1);
  }

  async function ofWebp(file) {
    const size = (await view(file, 4, 8)).getUint32(0, true);
    for (let at = 12, count = 0; at + 8 <= file.size && count < 1000; count += 1) {
      const head = await view(file, at, at + 8);
      const length = head.getUint32(4, true);
      if (name(head, 0) === "EXIF" && length <= MOST) {
        const told = exifText(await view(file, at + 8, at + 8 + length));
        if (told !== null && size + 8 > file.size) throw new Fault(say("reuse.cut"));
        return told;
      }
      at += 8 + length + (length % 2);
    }
    return null;
  }

  /** The description of a picture in EXIF, which is a TIFF of tags. */
  function exifText(data) {
    const start = name(data, 0) === "Exif" ? 6 : 0;
    const tiff = new DataView(data.buffer, data.byteOffset + start);
    const little = tiff.getUint16(0) === 0x4949;
    const at = tiff.getUint32(4, little);
    for (let index = 0; index < tiff.getUint16(at, little); index += 1) {
      const entry = at + 2 + 12 * index;
      if (tiff.getUint16(entry, little) !== 0x010e) continue;
      const count = tiff.getUint32(entry + 4, little);
      const from = count > 4 ? tiff.getUint32(entry + 8, little) : entry + 8;
      return utf8(new DataView(tiff.buffer, tiff.byteOffset + from, Math.max(0, count - 1)));
    }
    return null;
  }

  /** What kind of file it is by its first bytes, whatever it is called. */
  async function kindOf(file) {
    const head = await view(file, 0, Math.min(12, file.size));
    if (head.byteLength < 12) return null;
    if (name(head, 4) === "ftyp") return "mp4";
    if (head.getUint32(0) === 0x89504e47 && head.getUint32(4) === 0x0d0a1a0a) return "png";
    return name(head, 0) === "RIFF" && name(head, 8) === "WEBP" ? "webp" : null;
  }

  const OF = { mp4: ofMp4, png: ofPng, webp: ofWebp };

  /** JSON in which a whole number that this language cannot hold stays as it was written. */
  function parse(text) {
    return JSON.parse(text, (_key, value, context) => {
      const exact = typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value);
      return !exact && /^\d+$/.test(context?.source) ? context.source : value;
    });
  }

  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const isText = (value) => typeof value === "string";
  const isCount = (value) => Number.isSafeInteger(value) && value > 0;
  const isSeed = (value) => (Number.isSafeInteger(value) && value >= 0) || (isText(value) && /^\d{1,19}$/.test(value));
  const SHAPE = {
    type: ["check.type_name", (value) => value === "video" || value === "image"],
    prompt: ["check.text", (value) => isText(value) && value.trim() !== ""],
    negativePrompt: ["check.text", isText],
    engine: ["check.text", isText],
    engineVersion: ["check.text", isText],
    seed: ["check.whole", isSeed],
    width: ["check.whole", isCount],
    height: ["check.whole", isCount],
    fps: ["check.whole", isCount],
    numFrames: ["check.whole", isCount],
    settings: ["check.object", isObject],
  };

  /** Only what a recipe has is taken, each in its own type; null where it is no recipe at all. */
  function recipeOf(text) {
    let told = null;
    try {
      told = parse(text);
    } catch {
      return null;
    }
    const marks = ["engine", "prompt", "numFrames"];
    if (!isObject(told) || !marks.every((mark) => Object.hasOwn(told, mark))) return null;
    for (const [key, [expected, fits]] of Object.entries(SHAPE)) {
      if (!Object.hasOwn(told, key) || !fits(told[key])) throw new Fault(say("reuse.wrong", { field: key, expected: say(expected) }));
    }
    return {
      type: told.type,
      prompt: told.prompt,
      negative: told.negativePrompt,
      engine: told.engine,
      version: told.engineVersion,
      seed: String(told.seed),
      width: told.width,
      height: told.height,
      fps: told.type === "video" ? told.fps : undefined,
      seconds: told.type === "video" ? Math.round((told.numFrames / told.fps) * 1000) / 1000 : undefined,
      settings: told.settings,
      inputFileId: null,
      hadImage: Object.hasOwn(told, "inputDigest") && told.inputDigest !== null,
    };
  }

  videogen.recipes = {
    /** Read a file: `{kind, recipe}`, or `{kind, fault}`; `kind` is mp4, png, webp or null. */
    async read(file) {
      let kind = null;
      try {
        kind = await kindOf(file);
        if (kind === null) return { kind, fault: say("reuse.no_kind") };
        const text = await OF[kind](file);
        const recipe = text === null ? null : recipeOf(text);
        return recipe === null ? { kind, fault: say("reuse.no_recipe") } : { kind, recipe };
      } catch (problem) {
        // Sizes and places that lead outside of what was read.
        if (problem instanceof Fault || problem instanceof RangeError || problem instanceof DOMException) {
          return { kind, fault: problem instanceof Fault ? problem.message : say("reuse.broken"), ours: problem instanceof Fault };
        }
        throw problem;
      }
    },
  };
})();
