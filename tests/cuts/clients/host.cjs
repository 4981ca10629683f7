// What both TypeScript clients have in common: orders come as lines of JSON on stdin, events leave as lines on stdout.
const {createInterface} = require('node:readline');

const tell = event => process.stdout.write(JSON.stringify(event) + '\n');

// The person: agrees to everything, in their own words; or looks at the form for ever.
let holds = false;
function fill(params) {
  tell({form: params.message});
  if (holds) return new Promise(() => {});
  const fields = params.requestedSchema.properties, content = {answer: fields.answer.enum[1]};
  for (const name of Object.keys(fields)) if (name.startsWith('file_')) content[name] = true;
  if (fields.words) content.words = 'yes, please do';
  return {action: 'accept', content};
}

// `connect(order)` gives {client, version}; `call(client, name, arguments, milliseconds)` gives the tool's result.
function host({connect, call, isTimeout}) {
  let known;
  const orders = {
    async connect(order) {
      known = await connect(order);
      const {tools} = await known.client.listTools();
      const instructions = known.client.getInstructions();
      tell({connected: known.version, instructions, tools: tools.map(({name, inputSchema}) => ({name, inputSchema}))});
    },
    async call(order) {
      holds = order.hold_form;
      const result = await call(known.client, order.name, order.arguments, order.seconds * 1000);
      tell({answer: JSON.parse(result.content[0].text)});
    },
    async close() {
      await known.client.close();
      process.exit(0);
    },
  };
  createInterface({input: process.stdin}).on('line', async line => {
    const order = JSON.parse(line);
    try {
      await orders[order.do](order);
    } catch (error) {
      tell({error: String(error), timeout: isTimeout(error)});
    }
  });
}

module.exports = {fill, host};
