// The ONNX Runtime side of bench/inference-speed.sh: node inference_ort.cjs MODEL [THREADS]
// Prints the median milliseconds of a run on inputs of the model's own sizes (symbolic ones taken as 1). Needs npm ci --ignore-scripts in tests/onnxruntime.
'use strict';
const path = require('node:path');
const { InferenceSession, Tensor } = require(path.join(__dirname, '../../tests/onnxruntime/node_modules/onnxruntime-node'));

(async () => {
  const session = await InferenceSession.create(process.argv[2], { logSeverityLevel: 3, intraOpNumThreads: Number(process.argv[3] ?? 2) });
  const feeds = {};
  for (const input of session.inputMetadata) {
    const dims = input.shape.map((d) => (typeof d === 'number' ? d : 1));
    const count = dims.reduce((a, b) => a * b, 1);
    feeds[input.name] = input.type === 'int64'
      ? new Tensor('int64', BigInt64Array.from({ length: count }, () => 1n), dims)
      : new Tensor('float32', Float32Array.from({ length: count }, (_, i) => Math.sin(i)), dims);
  }
  const times = [];
  for (const until = Date.now() + 4000; Date.now() < until || times.length < 12;) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  const sorted = times.slice(2).sort((a, b) => a - b);
  console.log(sorted[sorted.length >> 1].toFixed(3));
})();
