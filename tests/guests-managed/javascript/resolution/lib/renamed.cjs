module.exports = { renamed: 'through another' };
