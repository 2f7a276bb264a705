using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Transfer.Teaching;
using static Amalgam.Tests.Transfer.OfTeaching.NaiveTeaching;

namespace Amalgam.Tests.Transfer.OfTeaching;

/// <summary>What must be true of ways to distil whatever their numbers are.</summary>
public class TeachingLawTests
{
    private static readonly double[][] S = [[2, 1, .5, -1], [0, 1.5, -.5, 1], [1, -2, 0.25, 3]], T = [[3, .5, 1, -2], [-1, 2, .5, 0], [0, 0.5, -1, 2]];
    private static readonly int[] Y = [0, 3, 2];

    public static TheoryData<string> Ways => [.. Distillation.All.Select(way => way.Name)];

    [Fact]
    public void Every_way_is_registered_once()
    {
        var types = typeof(Distillation).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Distillation)) && !type.IsAbstract).ToHashSet();
        Assert.Equal(types, Distillation.All.Select(way => way.GetType()).ToHashSet());
        Assert.Equal(Distillation.All.Length, Distillation.All.Select(way => way.Name).Distinct().Count());
        Assert.Null(Distillation.Find("none"));
    }

    [Theory, MemberData(nameof(Ways))]
    public void A_parameter_is_what_was_said_and_nothing_else_changes(string name)
    {
        Distillation way = Distillation.Find(name)!;
        Assert.Equal(name, way.Name);
        foreach (TeachingParameter parameter in way.Parameters)
        {
            string[] values = [.. new[] { "0", "0.25", "0.75", "3", "-1", "nan", "samples", "elements", "both", "probabilities", "log_probabilities", "features", "logits", "fc.weight" }.Where(v => parameter.With(v) is not null)];
            Assert.True(values.Length > 1, parameter.Name);
            Assert.DoesNotContain(parameter.Expected.Contains("number") || parameter.Expected.Contains("share") ? "samples" : "-1", values.Except(["fc.weight"]).Where(_ => parameter.Expected != "the name of a weight"));
            foreach (string value in values)
            {
                Distillation other = parameter.With(value)!;
                Assert.Equal([.. way.Parameters.Select(p => (p.Name, p.Name == parameter.Name ? value : p.Value))], other.Parameters.Select(p => (p.Name, p.Value)));
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new Dkd { Beta = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TfKdReg { Correct = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Rkd { Angle = double.PositiveInfinity });
    }

    [Theory]
    [InlineData("kd alpha=1")]
    [InlineData("rkd labels=0")]
    [InlineData("rkd labels=0 of=logits")]
    [InlineData("dkd labels=0 warmup=0")]
    [InlineData("tf_kd_self alpha=1")]
    public void A_student_that_is_its_teacher_has_nothing_to_learn_from_it(string way)
    {
        Lesson lesson = new(TeachingValueTests.Parse(way), Y, T, T, S, S);
        Assert.Equal(0, lesson.Value, 1e-6);
        Assert.All(lesson.Gradient, row => Assert.All(row, g => Assert.Equal(0, g, 2e-6)));
    }

    [Theory]
    [InlineData("nkd labels=0")]
    [InlineData("uskd labels=0")]
    [InlineData("tf_kd_reg alpha=1 softens=probabilities")]
    public void Others_ask_for_more_than_the_teacher_says(string way)
    {
        Distillation loss = TeachingValueTests.Parse(way);
        Assert.True(new Lesson(loss, Y, T, loss.MostTeachers == 0 ? null : T, S).Value > 0.01);
    }

    /// <summary>Of one sample, KL = KL of its own class + (1 - p of it) KL among the others, at one temperature (equation 6 of the paper).</summary>
    [Fact]
    public void The_decoupled_parts_make_up_the_divergence() => Property.Holds(gen =>
    {
        int classes = 2 + gen.Size(8);
        double temperature = 0.5 + 5 * gen.Random.NextDouble();
        double[][] s = [[.. gen.Floats(classes).Select(v => 3.0 * v)]], t = [[.. gen.Floats(classes).Select(v => 3.0 * v)]];
        int[] y = [gen.Random.Next(classes)];
        double Value(Distillation loss) => new Lesson(loss, y, s, t).Value;
        Dkd dkd = new() { Temperature = temperature, WarmUp = 0, Labels = 0 };
        double own = Value(dkd with { Alpha = 1, Beta = 0 }), others = Value(dkd with { Alpha = 0, Beta = 1 }), whole = Value(new Kd { Temperature = temperature, Alpha = 1 });
        Assert.Equal(whole, own + (1 - Softmax(t[0], temperature)[y[0]]) * others, 5e-6 * Math.Max(1, temperature * temperature));
    });

    [Theory]
    [InlineData("kd temperature=2000 alpha=1")]
    [InlineData("tf_kd_self temperature=2000 alpha=1")]
    public void A_hot_divergence_pulls_scores_to_the_teachers(string way)
    {
        double[][] found = new Lesson(TeachingValueTests.Parse(way), Y, S, T).Gradient;
        for (int n = 0; n < S.Length; n++)
        {
            double[] difference = [.. S[n].Zip(T[n], (a, b) => a - b)];
            for (int k = 0; k < 4; k++) Assert.Equal((difference[k] - difference.Average()) / 4 / S.Length, found[n][k], 1e-3 / S.Length);
        }
    }

    /// <summary>Where there is one other class, nothing can be said of the others among themselves.</summary>
    [Theory]
    [InlineData("dkd warmup=0 labels=0 beta=1", "dkd warmup=0 labels=0 beta=100")]
    [InlineData("nkd labels=0 gamma=1", "nkd labels=0 gamma=100")]
    [InlineData("uskd beta=1", "uskd beta=100")]
    public void Two_classes_have_no_others(string one, string other)
    {
        double[][] s = [[1, -0.5], [0.25, 2]], t = [[-1, 0.5], [0.75, 1]];
        Lesson Of(string way) => new(TeachingValueTests.Parse(way), [0, 1], s, way.StartsWith("uskd") ? null : t, s);
        Assert.Equal(Of(one).Value, Of(other).Value);
        Assert.Equal(Of(one).Gradient, Of(other).Gradient);
    }

    /// <summary>Relations are the same for features that are turned, moved and scaled, and of another length.</summary>
    [Fact]
    public void Relations_do_not_depend_on_the_frame()
    {
        double[][] features = [[0, 1], [2, -1], [0.5, 3], [-1, -2], [4, 0.25]];
        double[][] moved = [.. features.Select(f => (double[])[100 + 3 * (0.6 * f[0] - 0.8 * f[1]), 7, -5 + 3 * (0.8 * f[0] + 0.6 * f[1])])];
        double[][] none = [.. features.Select(_ => (double[])[0, 0])];
        Lesson lesson = new(new Rkd { Labels = 0 }, [0, 1, 0, 1, 0], none, none, features, moved);
        Assert.Equal(0, lesson.Value, 1e-6);
        Assert.True(new Lesson(new Rkd { Labels = 0 }, [0, 1, 0, 1, 0], none, none, features, [.. moved.Reverse()]).Value > 0.1);
    }

    /// <summary>Views of one picture, or features that have become nearly the same: the directions between them are as exact as the features are.</summary>
    [Theory]
    [InlineData(1, 1e-3f)]
    [InlineData(10, 1e-5f)]
    public void Near_samples_have_the_relations_of_their_differences(float size, float apart)
    {
        Generator gen = new(3);
        float[][] centres = [.. Enumerable.Range(0, 3).Select(_ => gen.Floats(32))];
        double[][] near = [.. Enumerable.Range(0, 12).Select(i => gen.Floats(32).Zip(centres[i % 3], (noise, c) => (double)(size * (c + apart * noise))).ToArray())];
        double[][] far = [.. near.Select(_ => gen.Floats(32).Select(v => (double)v).ToArray())], none = [.. near.Select(_ => new double[2])];
        double[][] Whole(double[][] x) => [.. x.Select(row => (double[])[.. row, 0, 0])];
        int[] y = new int[12];
        Lesson angles = new(new Rkd { Labels = 0, Distance = 0, Angle = 1 }, y, none, none, near, far), distances = new(new Rkd { Labels = 0, Distance = 1, Angle = 0 }, y, none, none, near, far);
        Assert.Equal(Angles(Whole(near), Whole(far)), angles.Value, 1e-6);
        Assert.Equal(Distances(Whole(near), Whole(far)), distances.Value, 1e-6);
    }

    [Fact]
    public void Equal_samples_and_single_ones_have_finite_relations()
    {
        double[][] equal = [[1, 2], [1, 2], [0, -1]], none = [[0, 0], [0, 0], [0, 0]], other = [[0, 1], [3, 1], [3, 3]];
        foreach (var (s, t) in new[] { (equal, other), (other, equal), (none, other), (none, none) })
        {
            Lesson lesson = new(new Rkd { Labels = 0 }, [0, 1, 0], none, none, s, t);
            Assert.True(double.IsFinite(lesson.Value));
            Assert.All(lesson.Gradient, row => Assert.All(row, g => Assert.True(Math.Abs(g) < 1e3, $"{g}")));
        }

        Assert.Equal(CrossEntropy([[1, 2]], [0]), new Lesson(new Rkd { Of = RelationsOf.Logits }, [0], [[1, 2]], [[5, 2]]).Value, 1e-6);
    }

    [Fact]
    public void Decoupled_parts_rise_with_the_epochs()
    {
        (Graph student, Samples data) = Samples.Of("mlp", 1, 24);
        Graph teacher = Samples.Of("mlp", 2).Network;
        double[] Losses(Dkd way)
        {
            Trainer trainer = new(Surgery.Copy(student), way with { Teachers = [new(teacher)] }, data, new() { Rate = 0, Epochs = 6, Batch = 10, Seed = 3 });
            trainer.Run();
            return [.. trainer.History.Select(epoch => epoch.Loss)];
        }

        double[] full = Losses(new() { WarmUp = 0 }), rising = Losses(new() { WarmUp = 4 });
        double labels = Losses(new() { Alpha = 0, Beta = 0, WarmUp = 0 })[0];
        Assert.All(full, loss => Assert.Equal(full[0], loss, 1e-5));
        for (int epoch = 1; epoch <= 6; epoch++) Assert.Equal(labels + Math.Min(epoch / 4.0, 1) * (full[0] - labels), rising[epoch - 1], 1e-5 * full[0]);
    }

    /// <summary>The same bits for any number of threads and when the same description trains again; the network stays what it was, the loss falls.</summary>
    [Theory, MemberData(nameof(Ways))]
    public void A_run_is_a_function_of_its_description(string name)
    {
        Graph teacher = Samples.Of("resnet", 2).Network;
        Distillation way = Distillation.Find(name)! is var found && found.MostTeachers == 0 ? found : found with { Teachers = [new(teacher)] };
        (float[] Weights, double First, double Last) Run(int batch)
        {
            (Graph student, Samples data) = Samples.Of("resnet", 1, 3 * batch + 1);
            string graph = student.ToString();
            Trainer trainer = new(student, way, data, new() { Rule = new Sgd(0.9), Rate = 0.01, Epochs = batch > 8 ? 1 : 8, Batch = batch, Seed = 3 });
            trainer.Run();
            Assert.Equal(graph, student.ToString());
            return ([.. student.Parameters.Values.SelectMany(node => node.Value!.Span.ToArray())], trainer.History[0].Loss, trainer.History[^1].Loss);
        }

        var (weights, first, last) = Run(8);
        Assert.Equal(weights, Run(8).Weights);
        Assert.Equal(OnThreads.One(() => Run(64).Weights), OnThreads.Four(() => Run(64).Weights));
        if (name != "dkd") Assert.True(last < first, $"{first} became {last}");
    }

    [Fact]
    public void Bad_requests_say_what_is_wrong()
    {
        Graph network = Samples.Of("mlp", 2).Network;
        string Refusal(Distillation way) => Assert.Throws<GraphException>(() => new Lesson(way, Y, S, null)).Message;
        Assert.Contains("rkd learns from one teacher, found none", Refusal(new Rkd()), StringComparison.Ordinal);
        Assert.Contains("tf_kd_self learns from one teacher", Refusal(new TfKdSelf()), StringComparison.Ordinal);
        Assert.Contains("found 2", Assert.Throws<ArgumentException>(() => new TfKdSelf { Teachers = [new(network), new(network)] }).Message, StringComparison.Ordinal);
        Assert.Contains("has no teacher", Assert.Throws<ArgumentException>(() => new Uskd { Teachers = [new(network)] }).Message, StringComparison.Ordinal);
        Graph graph = new(), many = new();
        graph.Output("scores", graph.Input("x", new(1024, 1)).Linear(graph.Parameter("w", new(new(4, 1)))));
        Assert.Contains("1024 samples of 4 numbers need values of 4.3 GB, and several of them; take a batch of 512 or fewer",
            Assert.Throws<GraphException>(() => new Rkd { Of = RelationsOf.Logits, Teachers = [new(graph)] }.Add(graph.Outputs["scores"])).Message, StringComparison.Ordinal);
        many.Output("scores", many.Input("x", new(300, 8192)).Linear(many.Parameter("w", new(new(4, 8192)))));
        Assert.Contains("take a batch of 128 or fewer", Assert.Throws<GraphException>(() => new Rkd { Teachers = [new(many)] }.Add(many.Outputs["scores"])).Message, StringComparison.Ordinal);
        Assert.Contains("two classes or more", Assert.Throws<GraphException>(() => new Lesson(new TfKdReg(), [0], [[1]], null)).Message, StringComparison.Ordinal);
        Assert.Contains("label 7", Assert.Throws<GraphException>(() => new Lesson(new Kd(), [7], [[1, 2]], [[1, 2]])).Message, StringComparison.Ordinal);
    }
}
