// A client with the TypeScript SDK 1.x, @modelcontextprotocol/sdk: it speaks the protocol up to 2025-11-25.
const {Client} = require('@modelcontextprotocol/sdk/client/index.js');
const {StdioClientTransport} = require('@modelcontextprotocol/sdk/client/stdio.js');
const {StreamableHTTPClientTransport} = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
const {ElicitRequestSchema, ErrorCode, LATEST_PROTOCOL_VERSION} = require('@modelcontextprotocol/sdk/types.js');
const {fill, host} = require('./host.cjs');

host({
  async connect({command, env, url, token}) {
    const client = new Client({name: 'cuts-sdk1', version: '1'}, {capabilities: {elicitation: {}}});
    client.setRequestHandler(ElicitRequestSchema, request => fill(request.params));
    const headers = {Authorization: `Bearer ${token}`};
    await client.connect(url
      ? new StreamableHTTPClientTransport(new URL(url), {requestInit: {headers}})
      : new StdioClientTransport({command: command[0], args: command.slice(1), env}));
    return {client, version: LATEST_PROTOCOL_VERSION};
  },
  call: (client, name, given, timeout) => client.callTool({name, arguments: given}, undefined, {timeout}),
  isTimeout: error => error.code === ErrorCode.RequestTimeout,
});
