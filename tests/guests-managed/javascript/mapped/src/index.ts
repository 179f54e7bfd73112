export const handler = async (): Promise<never> => {

  throw new Error("mapped");
};
export const logged = async (): Promise<void> => { console.error(new Error("logged")); };
