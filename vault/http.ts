/**
 * Node's HTTP, without importing it: an import makes every export of the module, among them WebSocket, for which Node loads
 * all of undici (10 ms and 10 MB that nothing here uses).
 */
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

export const { Agent: HttpAgent, createServer, request: httpRequest, STATUS_CODES } = http;
export const { Agent: HttpsAgent, request: httpsRequest } = https;
export type HttpAgent = InstanceType<typeof http.Agent>;
export type HttpsAgent = InstanceType<typeof https.Agent>;
