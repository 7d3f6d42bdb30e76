// ONNX Runtime as a peer: node ort.mjs MODEL.onnx WORKERS THREADS
//
// Each line of standard input is a job, {"texts": [[ids]...], "batch": N}, and
// gets one line back: {"seconds": S, "first": [...]}, the embedding of the
// first text among it. Texts are sorted by length, the longest first, so that little is padded,
// and the batches are shared out to WORKERS sessions of THREADS threads each.
import { createInterface } from "node:readline";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import ort from "onnxruntime-node";

// pad makes the tensors of one batch.
function pad(texts) {
  const longest = Math.max(...texts.map((t) => t.length));
  const ids = new BigInt64Array(texts.length * longest);
  const mask = new BigInt64Array(texts.length * longest);
  texts.forEach((text, row) =>
    text.forEach((id, i) => {
      ids[row * longest + i] = BigInt(id);
      mask[row * longest + i] = 1n;
    }),
  );
  const shape = [texts.length, longest];
  return { input_ids: new ort.Tensor("int64", ids, shape), attention_mask: new ort.Tensor("int64", mask, shape) };
}

async function work({ model, threads, next }) {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
  });
  const taken = new Int32Array(next);
  parentPort.on("message", async ({ batches }) => {
    let first;
    for (let i; (i = Atomics.add(taken, 0, 1)) < batches.length; ) {
      const { embedding } = await session.run(pad(batches[i].map((t) => t.ids)));
      const at = batches[i].findIndex((t) => t.index === 0);
      if (at >= 0) first = Array.from(embedding.data.slice(at * embedding.dims[1], (at + 1) * embedding.dims[1]));
    }
    parentPort.postMessage({ first });
  });
  parentPort.postMessage({});
}

async function serve([model, workers, threads]) {
  const next = new SharedArrayBuffer(4);
  const pool = Array.from(
    { length: Number(workers) },
    () => new Worker(new URL(import.meta.url), { workerData: { model, threads: Number(threads), next } }),
  );
  const answers = () =>
    Promise.all(
      pool.map(
        (w) =>
          new Promise((resolve, reject) => {
            w.once("message", resolve);
            w.once("error", reject);
          }),
      ),
    );
  await answers();
  console.log(JSON.stringify({ ready: true }));
  for await (const line of createInterface({ input: process.stdin })) {
    const { texts, batch } = JSON.parse(line);
    const sorted = texts.map((ids, index) => ({ ids, index })).sort((a, b) => b.ids.length - a.ids.length);
    const batches = [];
    for (let i = 0; i < sorted.length; i += batch) batches.push(sorted.slice(i, i + batch));
    Atomics.store(new Int32Array(next), 0, 0);
    const started = performance.now();
    const done = answers();
    pool.forEach((w) => w.postMessage({ batches }));
    const first = (await done).map((a) => a.first).find((f) => f);
    console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, first }));
  }
  process.exit(0);
}

if (isMainThread) await serve(process.argv.slice(2));
else await work(workerData);
