export { demoScript } from './demo.ts';
export * from './reply.ts';
export { type Keys, type MessagesRequest, type RequestBlock, resultText } from './request.ts';
export * from './server.ts';
