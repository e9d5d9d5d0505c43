// Which requests Tencent's own component forms from serverless.yml. Reads {function, layer}, the resolved `inputs` of both
// files, from standard input; runs the toolkit's deployment with its API client replaced by a recorder that answers as an
// empty account would; writes the recorded requests. Nothing leaves the machine.
const { Capi } = require('@tencent-sdk/capi');
const { Layer, Scf } = require('tencent-component-toolkit');

const recorded = [];
let created = false;

const answers = {
  GetFunction: (request) =>
    created
      ? { FunctionName: request.FunctionName, Namespace: request.Namespace, Status: 'Active', Qualifier: '$LATEST' }
      : { Error: { Code: 'ResourceNotFound.Function', Message: 'no such function' } },
  CreateFunction: () => ((created = true), {}),
  PublishLayerVersion: () => ({ LayerVersion: 1 }),
  GetLayerVersion: () => ({ Status: 'Active' }),
  ListTriggers: () => ({ Triggers: [], TotalCount: 0 }),
  GetAlias: () => ({ FunctionVersion: '$LATEST' }),
  CreateTrigger: (request) => ({ TriggerInfo: { TriggerName: request.TriggerName, Type: request.Type } }),
};

Capi.prototype.request = async (request) => {
  const { Action, Version, ...rest } = request;
  recorded.push([Action, rest]);
  const answer = answers[Action];
  if (!answer) throw new Error(`the recorder knows no answer to ${Action}`);
  return { Response: { RequestId: 'r-1', ...answer(request) } };
};
console.log = () => {}; // the toolkit's chatter

async function main() {
  let text = '';
  for await (const part of process.stdin) text += part;
  const { function: inputs, layer } = JSON.parse(text);
  const credentials = { SecretId: 'id', SecretKey: 'key' };
  const code = { bucket: 'bucket', object: '/code.zip' };
  await new Layer(credentials, layer.region).deploy({ ...layer, ...code });
  await new Scf(credentials, inputs.region).deploy({ ...inputs, code });
  process.stdout.write(JSON.stringify(recorded));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
