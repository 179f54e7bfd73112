exports.value = 'from index';
