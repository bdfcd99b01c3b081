// The page is dark if the system is: the styles of Swagger UI follow this class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const followSystem = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followSystem);
followSystem();

// Return a description that has only the value at a path, and the components that it refers to.
const onlyAt = (description, path) => {
  const components = {};
  const addComponents = (value) => {
    if (typeof value?.$ref === "string" && value.$ref.startsWith("#/components/")) {
      const [kind, name] = value.$ref.split("/").slice(2);
      if (components[kind]?.[name]) return;
      components[kind] ??= {};
      components[kind][name] = description.components[kind][name];
      addComponents(components[kind][name]);
    } else if (value && typeof value === "object") {
      Object.values(value).forEach(addComponents);
    }
  };
  const value = path.reduce((each, key) => each?.[key], description);
  addComponents(value);
  const only = path.reduceRight((inner, key) => ({ [key]: inner }), value);
  const { openapi, info } = description;
  return { openapi, info, ...only, components: { ...components, ...only.components } };
};
{% include "drf_spectacular/swagger_ui.js" %}

// To show one operation, Swagger UI resolves the whole description, which takes seconds.
const { resolveSubtree } = ui.fn;
ui.fn.resolveSubtree = (description, path, ...others) =>
  resolveSubtree(onlyAt(description, path), path, ...others);
