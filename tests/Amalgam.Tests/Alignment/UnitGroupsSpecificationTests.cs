using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

/// <summary>
/// Discovered units against the permutation specifications that Git Re-Basin writes by hand for an MLP, VGG16 and ResNet20 (S. K. Ainsworth, J. Hayase and S. Srinivasa, 2023): the same
/// tensors and axes in the same groups. With BatchNorm, running statistics are in the group of their layer's scale.
/// </summary>
public class UnitGroupsSpecificationTests
{
    /// <summary>A specification: a group, or none, for each axis of each tensor.</summary>
    private sealed class Specification
    {
        private readonly Dictionary<string, string?[]> _axes = [];

        public Specification Dense(string name, string? into, string? made, bool bias = true)
        {
            _axes[$"{name}.weight"] = [made, into];
            if (bias) _axes[$"{name}.bias"] = [made];
            return this;
        }

        public Specification Conv(string name, string? into, string made, bool bias = false)
        {
            _axes[$"{name}.weight"] = [made, into, null, null];
            if (bias) _axes[$"{name}.bias"] = [made];
            return this;
        }

        public Specification Norm(string name, string units)
        {
            foreach (string vector in (string[])["weight", "bias", "running_mean", "running_var"]) _axes[$"{name}.{vector}"] = [units];
            return this;
        }

        /// <summary>The inverse: tensors and axes by group.</summary>
        public string[] Groups => [.. _axes.SelectMany(a => a.Value.Select((group, axis) => (Group: group, Place: $"{a.Key}.{axis}"))).Where(p => p.Group is not null)
            .GroupBy(p => p.Group, p => p.Place).Select(g => string.Join(' ', g.Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal)];

        public IEnumerable<string> Tensors => _axes.Keys;
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Units_of_an_mlp_are_those_of_its_specification(int hidden)
    {
        Specification expected = new();
        for (int i = 1; i <= hidden + 1; i++) expected.Dense($"fc{i}", i == 1 ? null : $"P{i - 1}", i == hidden + 1 ? null : $"P{i}");
        Same(expected, Build("mlp", ("hidden", string.Join(',', Enumerable.Range(0, hidden).Select(i => 5 + i)))));
    }

    [Fact]
    public void Units_of_vgg16_are_those_of_its_specification()
    {
        Specification expected = new();
        Graph graph = new();
        Node x = graph.Input("image", new(1, 3, 32, 32));
        int[] widths = [4, 4, 0, 8, 8, 0, 16, 16, 16, 0, 32, 32, 32, 0, 32, 32, 32, 0];
        int conv = 0;
        foreach (int width in widths)
        {
            if (width == 0)
            {
                x = x.MaxPool(2, 2);
                continue;
            }

            expected.Conv($"Conv_{conv}", conv == 0 ? null : $"P_Conv_{conv - 1}", $"P_Conv_{conv}", bias: true).Norm($"Norm_{conv}", $"P_Conv_{conv}");
            x = x.Conv(Weight(graph, $"Conv_{conv}.weight", width, x.Shape[1], 3, 3), Weight(graph, $"Conv_{conv}.bias", width), pad: 1);
            Node[] norm = [.. ((string[])["weight", "bias", "running_mean", "running_var"]).Select(vector => Weight(graph, $"Norm_{conv}.{vector}", width))];
            x = x.BatchNormalization(norm[0], norm[1], norm[2], norm[3]).Relu();
            conv++;
        }

        // The map is 1x1, so the last convolution's group is also that of the first dense layer's inputs.
        x = x.Reshape(1, -1);
        string?[] dense = ["P_Conv_12", "P_Dense_0", "P_Dense_1", null];
        for (int i = 0; i < 3; i++)
        {
            expected.Dense($"Dense_{i}", dense[i], dense[i + 1]);
            x = x.Linear(Weight(graph, $"Dense_{i}.weight", i == 2 ? 10 : 24, x.Shape[1]), Weight(graph, $"Dense_{i}.bias", i == 2 ? 10 : 24));
            if (i < 2) x = x.Relu();
        }

        graph.Output("logits", x);
        Same(expected, graph);
        Assert.Equal(15, expected.Groups.Length);
    }

    [Fact]
    public void Units_of_resnet20_are_those_of_its_specification()
    {
        Specification expected = new Specification().Conv("conv1", null, "bg0").Norm("bn1", "bg0");
        for (int stage = 0; stage < 3; stage++)
        {
            for (int i = 0; i < 3; i++)
            {
                bool changes = stage > 0 && i == 0;
                string block = $"layer{stage + 1}.{i}", inner = $"{block}.inner", into = changes ? $"bg{stage - 1}" : $"bg{stage}", made = $"bg{stage}";
                expected.Conv($"{block}.conv1", into, inner).Norm($"{block}.bn1", inner).Conv($"{block}.conv2", inner, made).Norm($"{block}.bn2", made);
                if (changes) expected.Conv($"{block}.shortcut.0", into, made).Norm($"{block}.shortcut.1", made);
            }
        }

        expected.Dense("linear", "bg2", null);
        Same(expected, Build("resnet20", ("width", "0.25"), ("shortcut", "3x3"), ("image", "3,16,16")));
        Assert.Equal(12, expected.Groups.Length);
    }

    private static void Same(Specification expected, Graph graph)
    {
        UnitGroups groups = UnitLaws.Preserved(graph.Randomise(), 1e-3);
        Assert.Equal(expected.Tensors.Order(StringComparer.Ordinal), graph.Parameters.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(expected.Groups, groups.Texts().Select(text => text.Replace("<", "", StringComparison.Ordinal)));
        Assert.All(groups.Classes, units => Assert.Null(units.Outer));
    }

    private static Node Weight(Graph graph, string name, params ReadOnlySpan<long> sizes) => graph.Parameter(name, new(new(sizes)));

    private static Graph Build(string model, params (string Name, string Value)[] options) => ZooModel.Find(model).Build(2, options.ToDictionary(o => o.Name, o => o.Value), 1);
}
