// Runs ONNX models in ONNX Runtime: node run.cjs FOLDER
// Every folder inside that has no reply.json yet holds model.onnx and request.json, a list of { name, type, dims, file } with each input's elements in a file, little-endian. The outputs are written
// beside in the same way, listed in reply.json; a model that does not run gives reply.json { error }.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { InferenceSession, Tensor } = require('onnxruntime-node');

const arrays = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, int64: BigInt64Array, uint64: BigUint64Array, int32: Int32Array, uint32: Uint32Array,
  int16: Int16Array, uint16: Uint16Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

function elements(bytes, type) {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return new arrays[type](copy);
}

async function run(folder) {
  const session = await InferenceSession.create(path.join(folder, 'model.onnx'), { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const feeds = {};
  for (const { name, type, dims, file } of JSON.parse(fs.readFileSync(path.join(folder, 'request.json'), 'utf8'))) {
    feeds[name] = new Tensor(type, elements(fs.readFileSync(path.join(folder, file)), type), dims);
  }
  const results = await session.run(feeds);
  const outputs = session.outputNames.map((name, i) => {
    const { type, dims, data } = results[name];
    fs.writeFileSync(path.join(folder, `output${i}.bin`), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { name, type, dims, file: `output${i}.bin` };
  });
  await session.release();
  return { outputs };
}

(async () => {
  const all = fs.readdirSync(process.argv[2]).sort().map((name) => path.join(process.argv[2], name));
  for (const folder of all.filter((f) => fs.existsSync(path.join(f, 'request.json')) && !fs.existsSync(path.join(f, 'reply.json')))) {
    let reply;
    try {
      reply = await run(folder);
    } catch (e) {
      reply = { error: String(e.message ?? e) };
    }
    fs.writeFileSync(path.join(folder, 'reply.json'), JSON.stringify(reply));
  }
})();
