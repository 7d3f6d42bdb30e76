// Serves SQS and SNS on a port of the loopback interface, for tests.
import { buildApp } from "fauxqs";

const port = Number(process.argv[2]);
const app = buildApp({ logger: false, host: "127.0.0.1" });
await app.listen({ port, host: "127.0.0.1" });
