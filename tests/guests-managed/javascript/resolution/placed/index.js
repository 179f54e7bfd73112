module.exports = 'at the root';
