export default {
  output: 'standalone',
  serverExternalPackages: ['fer-cudnn'],
  outputFileTracingIncludes: { '/*': ['./node_modules/fer-cudnn/{prebuilds,models}/**'] },
};
