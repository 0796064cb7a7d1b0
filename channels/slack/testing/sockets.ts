/** For the far end of the tests, which has no packages of its own. */
export { WebSocket, WebSocketServer } from 'ws';
