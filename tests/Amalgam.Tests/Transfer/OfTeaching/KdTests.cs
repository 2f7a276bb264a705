using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Transfer.Teaching;
using Amalgam.Zoo.Models;
using Loss = Amalgam.Training.Loss;

namespace Amalgam.Tests.Transfer.OfTeaching;

public class KdTests
{
    private static readonly TrainingOptions Options = new() { Rule = new Sgd(0.9), Rate = 0.05, Epochs = 3, Batch = 16, Seed = 3 };

    /// <summary>The formula in double precision, from the logits that the networks give by themselves.</summary>
    [Theory]
    [InlineData(1, 0.5, DistillationMean.Samples, 1)]
    [InlineData(4, 0.9, DistillationMean.Samples, 2)]
    [InlineData(20, 0.05, DistillationMean.Elements, 3)]
    [InlineData(8, 1, DistillationMean.Elements, 1)]
    [InlineData(3, 0, DistillationMean.Samples, 2)]
    public void The_loss_is_the_formula(double temperature, double alpha, DistillationMean mean, int teachers)
    {
        (Graph student, Samples data) = Samples.Of("mlp", 1, 24);
        Graph[] others = [.. Enumerable.Range(2, teachers).Select(seed => Samples.Of("mlp", seed).Network)];
        Kd loss = Taught(others, temperature, alpha) with { Mean = mean };

        double[][] s = Logits(student, data), t = Mean([.. others.Select(teacher => Logits(teacher, data))]);
        double divergence = NaiveTeaching.Kd(s, t, temperature) / (mean == DistillationMean.Samples ? 1 : 3), expected = alpha * divergence + (1 - alpha) * NaiveTeaching.CrossEntropy(s, data.Labels.ToArray());
        (Graph graph, LossNodes nodes) = Attach(student, loss, data);
        Assert.Equal(expected, Value(graph, nodes, data), 1e-5 * Math.Max(1, Math.Abs(expected)));
    }

    [Theory]
    [InlineData("mlp")]
    [InlineData("resnet")]
    public void Gradients_are_those_of_differences(string kind)
    {
        (Graph student, Samples data) = Samples.Of(kind, 1, 6);
        Kd loss = Taught([Samples.Of(kind, 2).Network, Samples.Of(kind, 3).Network], 2, 0.7);
        (Graph graph, LossNodes nodes) = Attach(student, loss, data);
        Node[] parameters = [.. graph.Parameters.Values.Where(node => node.Trainable)];
        Node[] gradients = Gradients.Of(nodes.Value, parameters);
        Executor executor = new(graph, [nodes.Value, .. gradients]);
        Fill(executor, graph, data);
        executor.Run();
        double[] found = [.. gradients.Select(node => (double)executor[node].Span[0])];
        double scale = gradients.Max(node => executor[node].Span.ToArray().Max(Math.Abs));
        for (int i = 0; i < parameters.Length; i++)
        {
            float kept = parameters[i].Value!.Span[0];
            double At(float shift)
            {
                parameters[i].Value!.Span[0] = kept + shift;
                executor.Run();
                return executor[nodes.Value].Span[0];
            }

            double difference = (At(2e-3f) - At(-2e-3f)) / 4e-3;
            parameters[i].Value!.Span[0] = kept;
            Assert.True(Math.Abs(difference - found[i]) <= 0.02 * scale + 2e-3, $"{parameters[i].Name}: {found[i]} but differences give {difference}");
        }
    }

    [Fact]
    public void A_student_that_is_its_teacher_has_nothing_to_learn_from_it()
    {
        (Graph student, Samples data) = Samples.Of("mlp", 1, 24);
        (Graph graph, LossNodes nodes) = Attach(student, Taught([student], 4, 1), data);
        Node[] gradients = Gradients.Of(nodes.Value, [.. graph.Parameters.Values]);
        Executor executor = new(graph, [nodes.Value, .. gradients]);
        Fill(executor, graph, data);
        executor.Run();
        Assert.Equal(0, executor[nodes.Value].Span[0], 1e-6f);
        Assert.All(gradients, node => Assert.All(executor[node].Span.ToArray(), g => Assert.Equal(0, g, 1e-6f)));

        (Graph half, LossNodes halfNodes) = Attach(student, Taught([student], 4, 0.25), data);
        (Graph plain, LossNodes plainNodes) = Attach(student, new CrossEntropy(), data);
        Assert.Equal(0.75 * Value(plain, plainNodes, data), Value(half, halfNodes, data), 1e-5);
    }

    /// <summary>A teacher with running statistics and dropout says in training what it says by itself, is the same afterwards, and leaves the student's network what it is.</summary>
    [Fact]
    public void Teachers_stay_as_they_are_and_beside_the_student()
    {
        (Graph student, Samples data) = Samples.Of("resnet", 1, 40);
        Graph teacher = WithDropout(Samples.Of("resnet", 2).Network);
        float[][] before = [.. teacher.Parameters.Values.Select(node => node.Value!.Span.ToArray())];
        string graph = student.ToString();
        double[] first = student.Parameters.Values.Select(node => (double)node.Value!.Span[0]).ToArray();

        Trainer trainer = new(student, Taught([teacher], 4, 1), data, Options with { Epochs = 30, Rate = 0.01 }, data);
        trainer.Run();

        Assert.Equal(before, teacher.Parameters.Values.Select(node => node.Value!.Span.ToArray()));
        Assert.Equal(graph, student.ToString());
        Assert.NotEqual(first, student.Parameters.Values.Select(node => (double)node.Value!.Span[0]));
        Assert.True(trainer.History[^1].Loss < 0.5 * trainer.History[0].Loss, $"{trainer.History[0].Loss} became {trainer.History[^1].Loss}");
        Score judged = new Evaluation(student, new CrossEntropy(), data, 16).Run();
        Assert.Equal(judged.Loss, trainer.History[^1].Validation!.Loss, 1e-9);
    }

    /// <summary>The teacher's part of a step is one run of its operations, and they are those of its inference form.</summary>
    [Fact]
    public void No_gradient_goes_through_teachers()
    {
        (Graph student, Samples data) = Samples.Of("resnet", 1, 16);
        Graph teacher = WithDropout(Samples.Of("resnet", 2).Network);
        Dictionary<Type, int> Counts(Loss loss)
        {
            Graph graph = Rewrite.ForTraining(DataInputs.Fit(student, data, 8)).Graph;
            LossNodes nodes = loss.Add(DataInputs.OutputOf(graph));
            Node[] gradients = Gradients.Of(nodes.Value, [.. graph.Parameters.Values.Where(node => node.Trainable)]);
            Assert.DoesNotContain(graph.Parameters.Keys, name => name.StartsWith("teacher", StringComparison.Ordinal));
            return graph.Nodes.GroupBy(node => node.Op.GetType()).ToDictionary(group => group.Key, group => group.Count());
        }

        Dictionary<Type, int> plain = Counts(new CrossEntropy()), distilled = Counts(Taught([teacher]));
        foreach (Type op in new[] { typeof(ConvWeightGradient), typeof(ConvTranspose), typeof(BatchNormalizationTraining), typeof(BatchStatistics), typeof(DropoutMask) })
            Assert.Equal(plain.GetValueOrDefault(op), distilled.GetValueOrDefault(op));
        Assert.Equal(plain[typeof(Conv)] + teacher.Nodes.Count(node => node.Op is Conv), distilled[typeof(Conv)]);
        Assert.Equal(0, distilled.GetValueOrDefault(typeof(BatchNormalization)));
    }

    [Fact]
    public void A_run_is_the_same_for_the_same_seed_and_when_it_is_resumed()
    {
        using TemporaryFolder folder = new();
        float[] Run(string? state, int stopAt)
        {
            (Graph student, Samples data) = Samples.Of("mlp", 1, 40);
            Kd loss = Taught([Samples.Of("mlp", 2).Network], 3, 0.5);
            using CancellationTokenSource stop = new();
            Trainer trainer = new(student, loss, data, Options with { StatePath = state is null ? null : folder[state] }, data);
            trainer.Resume();
            try
            {
                trainer.Run(epochDone: e => { if (e.Epoch == stopAt) stop.Cancel(); }, cancel: stop.Token);
            }
            catch (OperationCanceledException)
            {
                return Run(state, 0);
            }

            return [.. student.Parameters.Values.SelectMany(node => node.Value!.Span.ToArray())];
        }

        float[] whole = Run(null, 0);
        Assert.Equal(whole, Run(null, 0));
        Assert.Equal(whole, Run("state.safetensors", 2));
    }

    /// <summary>A teacher from elsewhere calls its input otherwise and takes images as rows.</summary>
    [Fact]
    public void The_only_input_is_shared_whatever_its_name()
    {
        Graph student = new Mlp([1, 2, 3], [5], 3).Build(4, 1), teacher = new Mlp([6], [7], 3).Build(4, 2);
        Samples data = new("image", new(1, 2, 3), 8, 1);
        (Graph graph, LossNodes nodes) = Attach(student, Taught([teacher], 1, 1), data);
        Assert.Equal(["image", "label"], graph.Inputs.Keys);
        Assert.True(double.IsFinite(Value(graph, nodes, data)));
    }

    [Fact]
    public void Bad_requests_say_what_is_wrong()
    {
        (Graph student, Samples data) = Samples.Of("mlp", 1, 8);
        Graph other = new Mlp([6], [7], 4).Build(2, 1), images = Samples.Of("resnet", 1).Network;
        string Refusal(Loss loss) => Assert.Throws<GraphException>(() => Attach(student, loss, data)).Message;
        Assert.Contains("teacher 2 says [8,4]", Refusal(Taught([student, Renamed(other)])), StringComparison.Ordinal);
        Assert.Contains("'image' [8,3,8,8] is none of the student's: 'x' [8,6]", Refusal(Taught([images])), StringComparison.Ordinal);
        Assert.Contains("kd learns from one teacher or more, found none", Refusal(new Kd()), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Taught([student], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Taught([student], double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => Taught([student], 1, 1.5));
        Assert.Throws<GraphException>(() => new FrozenNetwork(student, "features"));
    }

    private static Kd Taught(Graph[] teachers, double temperature = 4, double alpha = 0.5) => new() { Teachers = [.. teachers.Select(teacher => new FrozenNetwork(teacher))], Temperature = temperature, Alpha = alpha };

    private static Graph Renamed(Graph graph)
    {
        Graph to = new();
        var map = Surgery.Include(to, graph, new Dictionary<string, Node> { [graph.Inputs.Keys.Single()] = to.Input("features", graph.Inputs.Values.Single().Shape) });
        to.Output("y", map[graph.Outputs.Values.Single()]);
        return to;
    }

    private static Graph WithDropout(Graph graph)
    {
        Graph to = new();
        var map = Surgery.Include(to, graph, new Dictionary<string, Node>());
        to.Output("logits", map[graph.Outputs.Values.Single()].Dropout(0.5f));
        return to;
    }

    private static (Graph Graph, LossNodes Nodes) Attach(Graph student, Loss loss, Dataset data)
    {
        Graph graph = DataInputs.Fit(student, data, data.Count);
        return (graph, loss.Add(DataInputs.OutputOf(graph)));
    }

    private static void Fill(Executor executor, Graph graph, Dataset data) =>
        new Batches(data, data.Count, shuffle: false).Fill(0, DataInputs.Bind(data, graph, data.Count, graph.Inputs["label"], executor));

    private static double Value(Graph graph, LossNodes nodes, Dataset data)
    {
        Executor executor = new(graph, [nodes.Value]);
        Fill(executor, graph, data);
        executor.Run();
        return executor[nodes.Value].Span[0];
    }

    private static double[][] Logits(Graph network, Dataset data)
    {
        Tensor logits = Predictions.Of(network, data, 7);
        return [.. Enumerable.Range(0, data.Count).Select(i => logits.Span.Slice(3 * i, 3).ToArray().Select(v => (double)v).ToArray())];
    }

    private static double[][] Mean(double[][][] of) => [.. Enumerable.Range(0, of[0].Length).Select(i => Enumerable.Range(0, 3).Select(c => of.Average(t => t[i][c])).ToArray())];
}
