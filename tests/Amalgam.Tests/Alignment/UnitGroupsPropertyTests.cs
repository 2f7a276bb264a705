using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Tests.Graphs;

namespace Amalgam.Tests.Alignment;

/// <summary>Whatever units are found, permuting them leaves the network's function alone: over networks made at random, and over every operator.</summary>
public class UnitGroupsPropertyTests
{
    [Fact]
    public void Random_networks_of_integers_stay_to_the_bit() => Hold(integers: true, tolerance: 0);

    [Fact]
    public void Random_networks_with_softmaxes_and_normalisations_stay() => Hold(integers: false, tolerance: 2e-3);

    /// <summary>Inputs of an operator as parameters: what they are permuted by permutes the result, as its digits of units say.</summary>
    [Theory, MemberData(nameof(OpTests.Names), MemberType = typeof(OpTests))]
    public void Units_of_an_operator_s_inputs_are_those_of_its_result(string op)
    {
        foreach (OpSample sample in OpSamples.All.Where(sample => sample.Op.GetType().Name == op && !sample.IsLarge))
        {
            Graph graph = new();
            Node[] inputs = [.. sample.Inputs.Select((input, i) => input.IsKnown ? graph.Constant(new Tensor(input.Shape, input.Values), input.Type) : graph.Parameter($"p{i}", new(input.Shape, input.Values), trainable: false, input.Type))];
            Node y = sample.Build?.Invoke(graph, inputs) ?? graph.Add(sample.Op, inputs);
            Node result = y.Unsqueeze(0);
            graph.Output("y", result);
            UnitGroups groups = UnitGroups.Of(graph, new(FreeOutputs: true));
            if (groups.Classes.All(units => units.Pinned is not null)) continue;
            for (int seed = 0; seed < 3; seed++)
            {
                UnitMaps maps = UnitMaps.Random(groups, 1, seed);
                OpSample moved = sample with { Inputs = [.. sample.Inputs.Select((input, i) => input.IsKnown ? input : input with { Values = Rearrangement.Apply(maps, 0, inputs[i], new(input.Shape, input.Values)).Span.ToArray() })] };
                Tensor before = sample.Evaluate(graph, inputs)[result], after = moved.Evaluate(graph, inputs)[result];
                float[] expected = Rearrangement.Apply(maps, 0, result, before).Span.ToArray();
                for (int i = 0; i < expected.Length; i++)
                {
                    double e = expected[i], a = after.Span[i];
                    Assert.True(e == a || (double.IsNaN(e) && double.IsNaN(a)) || Math.Abs(e - a) <= 10 * sample.Tolerance * Math.Max(1, Math.Abs(e)), $"{sample}: element {i} is {a}, expected {e}");
                }
            }
        }
    }

    private static void Hold(bool integers, double tolerance)
    {
        int free = 0, blocks = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            try
            {
                UnitGroups groups = UnitLaws.Preserved(RandomNetwork.Make(seed, 2 + seed / 25, integers), tolerance, seeds: 1);
                free += groups.Classes.Count(units => units.Pinned is null);
                blocks += groups.Classes.Count(units => units.Pinned is null && units.Outer is not null);
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"fails with seed {seed}: {e.Message}", e);
            }
        }

        // A discovery that pins everything would pass as well.
        Assert.InRange(free, 300, int.MaxValue);
        Assert.InRange(blocks, 20, int.MaxValue);
    }
}
