// What ajv says in strict mode. On stdin: {"schemas": {name: schema}, "outputs": [[forms, value]]}; on stdout its version,
// why it refuses a schema, and for each output the names of the forms that accept it.
const Ajv = require("ajv/dist/2020");
const addFormats = require("ajv-formats");
const {schemas, outputs} = JSON.parse(require("fs").readFileSync(0, "utf-8"));
const checks = {};
const faults = {};
for (const [name, schema] of Object.entries(schemas)) {
    const ajv = new Ajv({strict: true});
    addFormats(ajv);
    try {
        checks[name] = ajv.compile(schema);
    } catch (error) {
        faults[name] = error.message;
    }
}
const accepted = outputs.map(([forms, value]) => forms.filter((name) => checks[name] && checks[name](value)));
const version = require("ajv/package.json").version;
console.log(JSON.stringify({version, faults, accepted}));
