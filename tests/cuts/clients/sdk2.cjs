// A client with the TypeScript SDK 2.x, @modelcontextprotocol/client: both eras of the protocol.
const {Client, SdkErrorCode, StreamableHTTPClientTransport} = require('@modelcontextprotocol/client');
const {StdioClientTransport} = require('@modelcontextprotocol/client/stdio');
const {fill, host} = require('./host.cjs');

host({
  async connect({command, env, url, token, era}) {
    const mode = era === '2025-11-25' ? 'legacy' : {pin: era};
    const known = {capabilities: {elicitation: {}}, versionNegotiation: {mode}};
    const client = new Client({name: 'cuts-sdk2', version: '1'}, known);
    client.setRequestHandler('elicitation/create', request => fill(request.params));
    const headers = {Authorization: `Bearer ${token}`};
    await client.connect(url
      ? new StreamableHTTPClientTransport(new URL(url), {requestInit: {headers}})
      : new StdioClientTransport({command: command[0], args: command.slice(1), env}));
    return {client, version: client.getNegotiatedProtocolVersion()};
  },
  call: (client, name, given, timeout) => client.callTool({name, arguments: given}, {timeout}),
  isTimeout: error => error.code === SdkErrorCode.RequestTimeout,
});
