export default { serverExternalPackages: ['fer-cudnn'] };
