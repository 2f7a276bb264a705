using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Transfer;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>What holds for every architecture of the registry, in sizes that are quick to run.</summary>
public class ZooModelTests
{
    /// <summary>Options that make a network small; several for one that has forms.</summary>
    private static readonly (string Model, string Options)[] Small =
    [
        ("mlp", "input=1,6,6;hidden=12,8"),
        ("mlp", "input=20;hidden=;bias=false"),
        ("mlp", "input=20;hidden=7;last_activation=true"),
        ("cnn", "image=1,9,9;channels=4,6"),
        ("vgg11", "width=0.0625"),
        ("vgg13", "width=0.0625;norm=none;bias=false"),
        ("vgg16", "width=0.0625;norm=group;groups=4"),
        ("vgg19", "width=0.0625"),
        ("resnet20", "width=0.25;image=3,16,16"),
        ("resnet20", "width=0.5;image=3,16,16;shortcut=3x3;result=embedding;classes=12;blocks=1"),
        ("resnet20", "width=0.5;image=3,16,16;norm=group;groups=4;shortcut=1x1;blocks=1"),
        ("resnet18", "width=0.0625;image=3,16,16"),
        ("resnet34", "width=0.0625;image=3,16,16;norm=none"),
        ("mobilenetv2", "width=0.125;image=3,16,16;dropout=0"),
        ("vit_tiny", "hidden=24;depth=2;heads=3;inner=48;image=3,16,16"),
        ("bert", "vocabulary=40;hidden=16;depth=2;inner=32;length=9;positions=12;dropout=0"),
        ("bert", "vocabulary=40;hidden=16;depth=1;inner=32;length=9;positions=12;dropout=0.1"),
        ("bert", "family=distilbert;vocabulary=40;hidden=16;depth=2;inner=32;length=9;positions=12;dropout=0"),
        ("bert", "family=roberta;vocabulary=40;hidden=16;depth=2;inner=32;length=9;positions=12;dropout=0"),
        ("two_tower", "image=3,16,16;image_hidden=16;image_depth=2;vocabulary=40;length=9;text_hidden=24;text_depth=2;heads=2;expansion=2;embedding=6"),
        ("two_tower", "image=3,16,16;image_encoder=cnn;channels=4,6;vocabulary=40;length=9;text_hidden=16;text_depth=1;heads=2;embedding=5;learned_temperature=false;pool=first"),
        ("din", "items=30;size=8;length=6"),
        ("din", "items=30;size=8;length=6;hyper=true"),
        ("gru4rec", "items=30;size=8;length=6"),
        ("gru4rec", "items=30;size=8;length=6;hyper=true"),
        ("sasrec", "items=30;size=8;length=6"),
        ("sasrec", "items=30;size=8;length=6;hyper=true"),
        ("iclrec", "items=30;size=8;length=6;dropout=0"),
    ];

    public static TheoryData<string, string> Networks => [.. Small.Select(s => new TheoryDataRow<string, string>(s.Model, s.Options))];

    [Fact]
    public void Every_registered_architecture_has_a_small_network_here() =>
        Assert.Equal(ZooModel.All.Select(m => m.Name).Order(), Small.Select(s => s.Model).Distinct().Order());

    [Fact]
    public void Names_are_distinct_and_options_take_their_own_defaults()
    {
        Assert.Distinct(ZooModel.All.Select(m => m.Name));
        foreach (ZooModel model in ZooModel.All)
        {
            Assert.Distinct(model.Options.Select(o => o.Name));
            Assert.All(model.Options, o => Assert.True(o.Takes(o.Default), $"{model.Name}: {o.Name} does not take {o.Default}"));
        }
    }

    [Theory, MemberData(nameof(Networks))]
    public void The_same_seed_gives_the_same_network_and_another_seed_another(string model, string options)
    {
        Graph a = Build(model, options, 1, 5), b = Build(model, options, 1, 5), c = Build(model, options, 1, 6);
        Assert.Equal(a.Parameters.Keys, b.Parameters.Keys);
        Assert.All(a.Parameters, p => Assert.Equal(p.Value.Value!.Span.ToArray(), b.Parameters[p.Key].Value!.Span.ToArray()));
        Assert.Contains(a.Parameters, p => !p.Value.Value!.Span.SequenceEqual(c.Parameters[p.Key].Value!.Span));
    }

    [Theory, MemberData(nameof(Networks))]
    public void An_integration_of_two_bakes_to_the_graph_and_parameters_of_one(string model, string options)
    {
        Graph a = Build(model, options, 2, 5), b = Build(model, options, 2, 6);
        foreach (WeightRule rule in (WeightRule[])[new LearnedCki(), new LearnedCoefficients(CoefficientScope.Layer)])
        {
            Integration integration = new([a, b], rule);
            Graph baked = integration.Bake();
            Assert.Equal(a.ToString(), baked.ToString());
            Assert.Equal(a.Parameters.Keys, baked.Parameters.Keys);
            Assert.Equal(a.Parameters.Values.Select(p => p.Trainable), baked.Parameters.Values.Select(p => p.Trainable));
            Assert.Contains(baked.Parameters, p => !p.Value.Value!.Span.SequenceEqual(a.Parameters[p.Key].Value!.Span));
        }
    }

    [Theory, MemberData(nameof(Networks))]
    public void A_sample_has_the_same_result_alone_and_in_a_batch_of_another_instance(string model, string options)
    {
        Graph one = Build(model, options, 1, 3);
        Graph built = Build(model, options, 4, 3), resized = Rewrite.Resize(one, 4).Graph;
        Executor single = new(one), batch = new(built), instance = new(resized);
        Fill(batch, built, 11);
        batch.Run();
        foreach (string input in built.Inputs.Keys) batch[input].Span.CopyTo(instance[input].Span);
        instance.Run();
        foreach (var (name, node) in built.Outputs)
        {
            Assert.Equal(node.Shape, resized.Outputs[name].Shape);
            Assert.Equal(4, node.Shape[0]);
            Assert.Equal(batch[name].Span.ToArray(), instance[name].Span.ToArray());
        }

        for (int sample = 0; sample < 4; sample++)
        {
            foreach (string input in built.Inputs.Keys) Part(batch[input], sample).CopyTo(single[input].Span);
            single.Run();
            foreach (string output in built.Outputs.Keys) Near(Part(batch[output], sample), single[output].Span);
        }
    }

    [Theory, MemberData(nameof(Networks))]
    public void Exported_to_Onnx_and_read_back_it_computes_the_same(string model, string options)
    {
        using TemporaryFolder folder = new();
        Graph graph = Build(model, options, 2, 3);
        OnnxModel.Write(graph, folder["net.onnx"], new("batch"));
        using OnnxModel file = OnnxModel.Open(folder["net.onnx"]);
        Graph read = file.ToGraph(batch: 2);
        Assert.Empty(graph.Parameters.Keys.Except(read.Parameters.Keys));
        Executor written = new(graph), again = new(read);
        Fill(written, graph, 11);
        foreach (string input in graph.Inputs.Keys) written[input].Span.CopyTo(again[input].Span);
        written.Run();
        again.Run();
        foreach (string output in graph.Outputs.Keys) Near(written[output].Span, again[output].Span);
    }

    [Theory, MemberData(nameof(Networks))]
    public void A_step_against_the_gradient_lowers_the_loss(string model, string options)
    {
        Graph graph = Rewrite.ForTraining(Build(model, options, 6, 3)).Graph;
        Node loss = Loss(graph);
        Node[] weights = [.. graph.Parameters.Values.Where(p => p.Trainable)], gradients = Gradients.Of(loss, weights);
        Executor executor = new(graph, [loss, .. gradients]);
        Fill(executor, graph, 11);
        executor.Run();
        float before = executor[loss].Span[0];
        Assert.True(float.IsFinite(before));

        double square = 0;
        foreach (Node dw in gradients)
        {
            foreach (float d in executor[dw].Span) square += (double)d * d;
        }

        Assert.True(square > 0, "no gradient reaches the weights");
        float rate = (float)(0.02 * Math.Max(0.1, before) / square);
        for (int i = 0; i < weights.Length; i++)
        {
            Span<float> w = weights[i].Value!.Span;
            ReadOnlySpan<float> d = executor[gradients[i]].Span;
            for (int j = 0; j < w.Length; j++) w[j] -= rate * d[j];
        }

        executor.Run();
        float after = executor[loss].Span[0];
        Assert.True(after < before, $"the loss was {before} and is {after}");
        Assert.True(after > before - 0.2f * Math.Max(0.1f, before), $"the loss fell from {before} to {after}, far more than the gradient says");
    }

    [Theory]
    [InlineData("mlp", "hiden=3", "mlp has no option 'hiden' (did you mean 'hidden'?)")]
    [InlineData("mlp", "hidden=3,x", "mlp: hidden must be whole numbers from 1 on, with commas between, got '3,x'")]
    [InlineData("mlp", "hidden=3,0", "hidden must be whole numbers from 1 on")]
    [InlineData("mlp", "classes=0", "mlp: classes must be a whole number from 1 on, got '0'")]
    [InlineData("mlp", "activation=rellu", "mlp: activation must be relu or gelu or")]
    [InlineData("resnet18", "width=-1", "resnet18: width must be a number above 0, below 65, got '-1'")]
    [InlineData("resnet18", "width=nan", "resnet18: width must be a number above 0")]
    [InlineData("resnet18", "image=3,32", "image must be channels,height,width, got 2 sizes")]
    [InlineData("vgg11", "bias=yes", "vgg11: bias must be true or false, got 'yes'")]
    [InlineData("vgg11", "image=3,16,16;width=0.1", "MaxPool")]
    [InlineData("mlp", "classes=2000000000", "with 1 samples at a time is larger than tensors in memory can be")]
    [InlineData("mlp", "input=2000000000,2000000000,2000000000", "is larger than tensors in memory can be")]
    [InlineData("vit_tiny", "patch=5", "patches of 5 do not fill an image of 32x32")]
    [InlineData("vit_tiny", "heads=5", "5 heads do not divide 192 units")]
    [InlineData("bert", "length=600", "texts of 600 ids need as many positions, the model has 512")]
    [InlineData("resnet20", "norm=group;groups=7", "GroupNormalization")]
    public void Refuses_options_that_make_no_network(string model, string options, string message) =>
        Assert.Contains(message, Assert.Throws<GraphException>(() => Build(model, options, 1, 0)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_model_is_refused_with_the_nearest_and_all_known() =>
        Assert.StartsWith("there is no model 'resnet21' (did you mean 'resnet20'?); known are mlp, cnn, vgg11", Assert.Throws<GraphException>(() => ZooModel.Find("resnet21")).Message, StringComparison.Ordinal);

    internal static Graph Build(string model, string options, int batch, long seed) => ZooModel.Find(model).Build(batch, Options(options), seed);

    internal static Dictionary<string, string> Options(string text) =>
        text.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]);

    /// <summary>Random pictures, ids within every vocabulary here, some padding on the left, masks with padding on the right.</summary>
    internal static void Fill(Executor executor, Graph graph, int seed)
    {
        Random random = new(seed);
        foreach (var (name, node) in graph.Inputs)
        {
            Span<float> x = executor[name].Span;
            int row = Math.Max(1, x.Length / (node.Shape.Rank == 0 ? 1 : (int)node.Shape[0]));
            for (int i = 0; i < x.Length; i++)
            {
                x[i] = name switch
                {
                    "items" => i % row < i / row % 3 ? 0 : random.Next(1, 30),
                    "target" or "input_ids" => random.Next(1, 30),
                    "attention_mask" => i % row < row - (i / row % 3) ? 1 : 0,
                    "token_type_ids" => i % row > row / 2 ? 1 : 0,
                    "label" => random.Next(2),
                    TrainingForm.StepName or TrainingForm.SeedName => 3,
                    _ => (float)((random.NextDouble() * 2) - 1),
                };
            }
        }
    }

    private static Node Loss(Graph graph)
    {
        Node result = graph.Outputs.TryGetValue("logits", out Node? logits) ? logits : graph.Outputs["embedding"];
        bool areScores = graph.Inputs.ContainsKey("target");
        Node label = graph.Input("label", areScores ? result.Shape : new(result.Shape[0]));
        return areScores ? graph.Add(new BinaryCrossEntropyWithLogits(), result, label) : graph.Add(new SoftmaxCrossEntropy(), result, label);
    }

    private static Span<float> Part(Tensor tensor, int sample) => tensor.Span.Slice(sample * (tensor.Count / (int)tensor.Shape[0]), tensor.Count / (int)tensor.Shape[0]);

    private static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        float scale = 1e-3f;
        foreach (float value in expected) scale = Math.Max(scale, Math.Abs(value));
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.InRange(actual[i], expected[i] - (2e-5f * scale), expected[i] + (2e-5f * scale));
    }
}
