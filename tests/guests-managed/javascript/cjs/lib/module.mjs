export default "required";
