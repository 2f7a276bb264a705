using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

/// <summary>One case per check of the reader: the place, and a phrase of the message.</summary>
public class RecipeRefusalTests
{
    [Theory]
    [InlineData("", "r:1:1: expected a recipe, found nothing")]
    [InlineData("# only a comment", "r:1:1: expected a recipe, found nothing")]
    [InlineData("---", "expected a recipe, a mapping")]
    [InlineData("- a", "r:1:1: expected a recipe, a mapping that begins with merge_method or the like, found a list")]
    [InlineData("text", "r:1:1: expected a recipe")]
    [InlineData("merge_method: m\nmodels: [{model: a}]\n---\n", "expected a recipe")]
    [InlineData("models: [{model: a}]", "r:1:1: a recipe needs 'merge_method', which is missing")]
    [InlineData("merge_method:\nmodels: [{model: a}]", "a recipe needs 'merge_method'")]
    [InlineData("merge_method: [a]\nmodels: [{model: a}]", "r:1:15: expected the name of a merge method, found a list")]
    [InlineData("merge_method: m", "r:1:1: a recipe needs exactly one of models, slices, modules, found none")]
    [InlineData("merge_method: m\nmodules: {}", "r:2:10: modules is empty")]
    [InlineData("merge_method: m\nmodules: [a]", "r:2:10: expected modules, a mapping")]
    [InlineData("merge_method: m\nmodules: {v: {}}", "r:2:14: a module needs exactly one of models, slices, found none")]
    [InlineData("name: x\nmerge_method: m\nmodels: [{model: a}]\n---\nname: x\nmerge_method: m\nmodels: [{model: a}]", "r:5:1: two documents have the name 'x'")]
    [InlineData("merge_method: m\nmerge_method: m\nmodels: [{model: a}]", "r:2:1: key 'merge_method' stands twice, first at line 1")]
    public void Of_documents(string text, string phrase) => Refuses(text, phrase);

    [Theory]
    [InlineData("parametres: {}", "r:3:1: a recipe has no key 'parametres' (did you mean 'parameters'?)")]
    [InlineData("normalize: true", "r:3:1: a recipe has no key 'normalize'; if it is a parameter of the merge method, put it under parameters; known keys are name,")]
    [InlineData("layer_range: [0, 1]", "r:3:1: a recipe has no key 'layer_range'; 'layer_range' belongs to a source of a slice; known")]
    [InlineData("t: 0.5", "a recipe has no key 't'; if it is a parameter of the merge method, put it under parameters")]
    [InlineData("dtype: int64", "r:3:8: expected a floating-point type (float64, float32,")]
    [InlineData("dtype: torch.bool", "found 'torch.bool'")]
    [InlineData("dtype: torch.torch.float32", "expected a floating-point type")]
    [InlineData("out_dtype: F32", "expected a floating-point type")]
    [InlineData("tensor_union: 1", "r:3:15: expected true or false, found '1'")]
    [InlineData("tensor_union: 'true'", "expected true or false")]
    [InlineData("tensor_union: true\ntensor_intersection: true", "r:4:22: 'tensor_union' and 'tensor_intersection' exclude each other")]
    [InlineData("tokenizer_source: base\ntokenizer: {source: base}", "r:4:12: 'tokenizer_source' and 'tokenizer' exclude each other")]
    [InlineData("integers: mean", "r:3:11: expected equal or base, found 'mean'")]
    [InlineData("base_model: [a]", "r:3:13: expected a model, path[@revision]")]
    [InlineData("name: {a: b}", "r:3:7: expected a name, found a mapping")]
    [InlineData("parameters: [a]", "r:3:13: expected parameters, a mapping of names to values, found a list")]
    [InlineData("parameters: {a: 1, a: 2}", "r:3:20: key 'a' stands twice")]
    [InlineData("chat_template: [a]", "expected a text")]
    [InlineData("<<: {a: b}", "r:3:1: merge keys (<<) are not read")]
    [InlineData("? [a]\n: b", "r:3:3: a key must be a plain word")]
    [InlineData("? {a: b}\n: b", "a key must be a plain word")]
    [InlineData("dtype: !!str float32", "tags are not read")]
    [InlineData("parameters: !python/object {}", "r:3:13: tags are not read")]
    [InlineData("dtype: *nothing", "repeats nothing")]
    [InlineData("parameters: {a: &x 1}\n*x : 2", "a key must be a plain word")]
    [InlineData("dtype: \"a\n\n", "r:3:8: not YAML that can be read: While scanning a quoted scalar, found unexpected end of stream. (noticed at line 5)")]
    [InlineData("dtype: [", "r:4:1: not YAML that can be read: While parsing a node")]
    [InlineData("\tdtype: a", "r:2:20: not YAML that can be read: While scanning a mapping, found invalid tab")]
    [InlineData("dtype: \"\\xZZ\"", "not YAML that can be read")]
    [InlineData("dtype: a\0b", "r:3:9: a control character (U+0000)")]
    public void Of_keys_and_values(string line, string phrase) => Refuses($"merge_method: m\nmodels: [{{model: a}}]\n{line}", phrase);

    [Theory]
    [InlineData("models: []", "r:2:9: expected models, a list of {model, parameters}, found an empty list")]
    [InlineData("models: a", "expected models, a list of {model, parameters}, found 'a'")]
    [InlineData("models: [a]", "r:2:10: expected an entry of models, found 'a'")]
    [InlineData("models: [{parameters: {}}]", "r:2:10: an entry of models needs 'model', which is missing")]
    [InlineData("models: [{model: a, layer_range: [0, 1]}]", "r:2:21: an entry of models has no key 'layer_range'; 'layer_range' belongs to a source of a slice")]
    [InlineData("models: [{model: a, weight: 1}]", "an entry of models has no key 'weight'; if it is a parameter of the merge method, put it under parameters")]
    [InlineData("slices: []", "expected slices, a list")]
    [InlineData("slices: [{model: a}]", "r:2:11: a slice has no key 'model'; 'model' belongs to an entry of models or a source of a slice")]
    [InlineData("slices: [{source: [a]}]", "a slice has no key 'source' (did you mean 'sources'?)")]
    [InlineData("slices: [{base_model: a}]", "r:2:10: a slice needs 'sources', which is missing")]
    [InlineData("slices: [{sources: []}]", "expected sources, a list")]
    [InlineData("slices: [{sources: [{model: a}]}]", "r:2:21: a source of a slice needs 'layer_range', which is missing")]
    public void Of_models_and_slices(string line, string phrase) => Refuses($"merge_method: m\n{line}", phrase);

    [Theory]
    [InlineData("[0, 0]", "r:2:45: layer_range [0, 0] has no layers: the end is exclusive, [0, 1] is layer 0")]
    [InlineData("[5, 2]", "layer_range [5, 2] has no layers: the end is exclusive, [2, 6] ends with layer 5")]
    [InlineData("[0]", "of two whole numbers from 0 on, found 1")]
    [InlineData("[0, 1, 2]", "of two whole numbers from 0 on, found 3")]
    [InlineData("[-1, 2]", "r:2:46: expected a layer_range [first, end] of two whole numbers from 0 on, found '-1'")]
    [InlineData("[0, 1.5]", "found '1.5'")]
    [InlineData("[0, 99999999999]", "found '99999999999'")]
    [InlineData("0-4", "expected a layer_range")]
    [InlineData("{first: 0}", "expected a layer_range")]
    [InlineData("[0, 4]}, {model: b, layer_range: [0, 3]", "r:2:54: the sources of a slice must have the same number of layers, found 4 of 'a' and 3 of 'b'")]
    public void Of_layer_ranges(string range, string phrase) =>
        Refuses($"merge_method: m\nslices: [{{sources: [{{model: a, layer_range: {range}}}]}}]", phrase);

    private static void Refuses(string text, string phrase)
    {
        string message = Assert.Throws<MergeException>(() => RecipeFile.Parse(text, "r")).Message;

        Assert.StartsWith("r:", message);
        Assert.Contains(phrase, message);
    }
}
