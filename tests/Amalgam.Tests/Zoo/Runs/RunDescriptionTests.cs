using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Transfer.Teaching;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class RunDescriptionTests
{
    private const string Small = "data: mnist\nmodel: mlp\nlr: 0.1\nepochs: 3\n";

    [Fact]
    public void Every_key_is_read()
    {
        RunDescription run = RunDescription.Parse("""
            data: {name: mnist, validation: 5000, seed: 4, limit: 600, classes: [3, 1], options: {folder: x}, augment: {flip: true, crop: 4, rotation: 7.5}, mean: [0.1307], std: 0.3081}
            model: {name: mlp, hidden: [400, 200, 100], bias: false, weights: w.safetensors, freeze: [fc1]}
            loss: {name: cross_entropy, label_smoothing: 0.1, target: truth}
            optimizer: {name: sgd, momentum: 0.8, weight_decay: 5e-4, nesterov: true, no_decay: 'glob:*.bias', decay_vectors: false, clip_norm: 1, groups: [{match: fc4, lr_scale: 0.1, weight_decay: 0}]}
            schedule: {name: cosine, warmup: 1.5, last: 0.01, per_epoch: true}
            lr: 0.1
            epochs: 10
            batch: 64
            drop_last: true
            seed: -1
            output: runs/mnist-mlp
            """, "run.yml");
        DataDescription data = run.Data;
        Assert.Equal(("mnist", 5000, 4L, 600, "x"), (data.Name, data.Validation, data.Seed, data.Limit, data.Options["folder"]));
        Assert.Equal([3, 1], data.Classes);
        Assert.Equal((true, 4, 7.5f), (data.Augmentation.Flip, data.Augmentation.Pad, data.Augmentation.Rotation));
        Assert.Equal([0.1307f, 0.3081f], [data.Augmentation.Mean.Single(), data.Augmentation.Deviation.Single()]);
        Assert.Equal(("mlp", "w.safetensors", false), (run.Model.Name, run.Model.Weights, run.Model.IsOnnx));
        Assert.Equal(["bias=false", "hidden=400,200,100"], run.Model.Options.Select(o => $"{o.Key}={o.Value}").Order());
        Assert.Equal(["fc1"], run.Model.Freeze);
        Assert.Equal(new LossDescription("cross_entropy") { LabelSmoothing = 0.1, Target = "truth" }, run.Loss);
        Assert.Equal(new Sgd(0.8, true, 5e-4), run.Optimizer);
        Assert.Equal(["glob:*.bias"], run.NoDecay);
        Assert.Equal([new RateGroup("fc4", 0.1, 0)], run.Groups);
        Assert.Equal((false, 1.0), (run.DecayVectors, run.ClipNorm));
        Assert.Equal(new CosineRate(0.01, 1.5, true), run.Schedule);
        Assert.Equal((0.1, 10, 64, true, -1L, "runs/mnist-mlp"), (run.Rate, run.Epochs, run.Batch, run.DropLast, run.Seed, run.Output));
    }

    [Fact]
    public void What_is_not_written_has_its_default()
    {
        RunDescription run = RunDescription.Parse(Small, "run.yml");
        Assert.Equal((new Sgd(0.9), new ConstantRate(), new("cross_entropy"), 128, false), ((Sgd)run.Optimizer, (ConstantRate)run.Schedule, run.Loss, run.Batch, run.DropLast));
        Assert.Equal((0, 0L, null, true), (run.Data.Validation, run.Seed, run.Output, run.Data.Augmentation.IsNothing));
    }

    [Fact]
    public void Classes_may_count_as_one_and_have_vectors_of_their_own()
    {
        string text = Small.Replace("data: mnist", "data: {name: mnist, groups: [[0, 1, 4], [2, 3]]}") + "loss: {name: cosine, class_vectors: v.safetensors, rows: [3, 2]}\n";
        RunDescription run = RunDescription.Parse(text, "run.yml");
        Assert.Equal([[0, 1, 4], [2, 3]], run.Data.Groups.Select(group => group.ToArray()));
        Assert.Equal([3, 2], run.Loss.Rows);
        RunDescription again = RunDescription.Parse(RunYaml.Write(run), "run.yaml");
        Assert.Equal([[0, 1, 4], [2, 3]], again.Data.Groups.Select(group => group.ToArray()));

        using TemporaryFolder folder = new();
        string path = TestModel.Write(folder["v.safetensors"], DType.F32, ("v", new(4, 1), [1, 2, 3, 4]));
        Assert.Equal([4, 3], (run.Loss with { ClassVectors = path }).ReadVectors(run.Data)!.Span.ToArray());
        Assert.Contains("leave out 'classes'", Assert.Throws<InvalidDataException>(() => RunDescription.Parse(text.Replace("groups:", "classes: [1], groups:"), "run.yml")).Message);
    }

    [Fact]
    public void Teachers_may_be_named()
    {
        DistillDescription distill = RunDescription.Parse(Small + "distill: {teachers: [a, b.onnx], temperature: 20, alpha: 0.05, mean: elements}\n", "run.yml").Distill!;
        Assert.Equal(["a", "b.onnx"], distill.Teachers);
        Assert.Equal(new Kd { Temperature = 20, Alpha = 0.05, Mean = DistillationMean.Elements }, distill.Method);
        distill = RunDescription.Parse(Small + "distill: {teachers: a}\n", "run.yml").Distill!;
        Assert.Equal((new Kd { Temperature = 4, Alpha = 0.5, Mean = DistillationMean.Samples }, false), (distill.Method, distill.Solo));
        Assert.Null(RunDescription.Parse(Small, "run.yml").Distill);
    }

    /// <summary>A description with every way, read again from what is written of it.</summary>
    [Theory]
    [InlineData("method: kd, teachers: [a, b], mean: elements")]
    [InlineData("method: rkd, teachers: a, of: logits, distance: 1, angle: 2")]
    [InlineData("method: dkd, teachers: [a, b], beta: 2.5, warmup: 0")]
    [InlineData("method: nkd, teachers: a, gamma: 0.25, labels: 0, solo: true")]
    [InlineData("method: tf_kd_self, teachers: a, multiplier: 3")]
    [InlineData("method: tf_kd_reg, softens: probabilities, correct: 0.9")]
    [InlineData("method: uskd, middle: 'layer2.0.conv1.weight', ranking: log_probabilities")]
    public void Every_way_to_distil_may_be_named(string distill)
    {
        RunDescription run = RunDescription.Parse($"{Small}distill: {{{distill}}}\n", "run.yml"), again = RunDescription.Parse(RunYaml.Write(run), "run.yaml");
        Assert.Equal(run.Distill!.Method, again.Distill!.Method);
        Assert.Equal(run.Distill.Teachers, again.Distill.Teachers);
        Assert.Equal(distill.Contains("solo"), again.Distill.Solo);
        Assert.NotEqual(Distillation.Find(run.Distill.Method.Name), again.Distill.Method);
        Assert.Equal(new Uskd(), RunDescription.Parse(Small + "distill: uskd\n", "run.yml").Distill!.Method);
    }

    [Theory]
    [InlineData("{method: dk, teachers: a}", "did you mean 'kd'?")]
    [InlineData("{method: rkd, teachers: [a, b]}", "rkd learns from one teacher, found 2")]
    [InlineData("{method: tf_kd_self, teachers: [a, b]}", "tf_kd_self learns from one teacher, found 2")]
    [InlineData("{method: tf_kd_reg, teachers: a}", "tf_kd_reg has no teacher but the labels, found 1")]
    [InlineData("{method: uskd, teachers: a}", "uskd has no teacher but the labels, found 1")]
    [InlineData("{method: nkd, teachers: a, beta: 1}", "the method nkd has no key 'beta'")]
    [InlineData("{teachers: a, temperature: .inf}", "expected a number from 0.1 to 10000, found '.inf'")]
    [InlineData("{method: dkd, teachers: a, temperature: 1e-30}", "expected a number from 0.1 to 10000, found '1e-30'")]
    [InlineData("{method: nkd, teachers: a, temperature: 1e5}", "expected a number from 0.1 to 10000, found '1e5'")]
    [InlineData("{method: tf_kd_reg, temperature: 0.01}", "expected a number from 0.1 to 10000, found '0.01'")]
    [InlineData("{method: tf_kd_self, teachers: a, multiplier: 0}", "expected a number above 0, found '0'")]
    [InlineData("{method: tf_kd_reg, correct: 1}", "expected a probability above 0 and below 1, found '1'")]
    [InlineData("{teachers: a, solo: maybe}", "expected true or false")]
    [InlineData("dkd", "'teachers' is missing here")]
    public void A_way_to_distil_that_cannot_be_is_refused(string distill, string phrase) =>
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => RunDescription.Parse($"{Small}distill: {distill}\n", "run.yml")).Message);

    [Fact]
    public void A_part_of_the_data_may_be_meant()
    {
        RunDescription run = RunDescription.Parse(Small.Replace("data: mnist", "data: {name: mnist, part: {classes: [4], share: 0.1, seed: 2, rest: true}}"), "run.yml");
        SkillPart part = run.Data.Part!, again = RunDescription.Parse(RunYaml.Write(run), "run.yaml").Data.Part!;
        Assert.Equal((0.1, 2L, true), (part.Share, part.Seed, part.Rest));
        Assert.Equal([4], part.Classes);
        Assert.Equal(part, again with { Classes = part.Classes });
        Assert.Contains("expected a share from 0 to 1, found '2'",
            Assert.Throws<InvalidDataException>(() => RunDescription.Parse(Small.Replace("data: mnist", "data: {name: mnist, part: {classes: [4], share: 2}}"), "run.yml")).Message);
    }

    /// <summary>CLAFusion's skill transfer: one network gets all images of 4 and a tenth of the others, the other the rest.</summary>
    [Fact]
    public void A_skill_of_MNIST_has_the_papers_counts()
    {
        RealData.At("mnist");
        DataDescription data = new("mnist") { Part = new([4], 0.1) };
        DataDescription rest = data with { Part = data.Part with { Rest = true } };
        Dataset train = RunData.OpenTrain(data), test = RunData.OpenTest(data);
        Assert.Equal((11258, 48742, 1884, 8116), (train.Count, RunData.OpenTrain(rest).Count, test.Count, RunData.OpenTest(rest).Count));
        Assert.Equal((5842, 982), (train.Labels.Count(4), test.Labels.Count(4)));
        Assert.Contains("no class 12", Assert.Throws<InvalidDataException>(() => RunData.OpenTrain(data with { Part = new([12], 0.1) })).Message);
    }

    [Fact]
    public void Validation_may_be_the_data_sets_own()
    {
        RunDescription run = RunDescription.Parse(Small.Replace("data: mnist", "data: {name: beauty, validation: own}"), "run.yml");
        Assert.Equal((true, 0), (run.Data.OwnValidation, run.Data.Validation));
        Assert.Equal(run.Data, RunDescription.Parse(RunYaml.Write(run), "run.yaml").Data with { Options = run.Data.Options, Augmentation = run.Data.Augmentation });
        Assert.Contains("expected a number of samples, or own for the data set's own part, found 'ours'",
            Assert.Throws<InvalidDataException>(() => RunDescription.Parse(Small.Replace("data: mnist", "data: {name: beauty, validation: ours}"), "run.yml")).Message);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("optimizer: adam", "")]
    [InlineData("optimizer: {name: adamw, beta1: 0.8, epsilon: 1e-6, no_decay: [norm, 'regex:^b']}", "schedule: {name: linear, warmup: 2}")]
    [InlineData("optimizer: {name: sgd, momentum: 0, groups: [{match: 'it''s'}]}", "schedule: {name: multistep, milestones: [3, 5], factor: 0.2}")]
    [InlineData("loss: {name: cosine, class_vectors: a b.safetensors, scale: 10}", "schedule: {name: step, every: 4}")]
    [InlineData("loss: {name: cosine, class_vectors: v.safetensors, rows: [3, 2]}", "")]
    [InlineData("loss: bce", "schedule: constant")]
    [InlineData("loss: {name: contrastive, target: thing}", "")]
    [InlineData("distill: {teachers: runs/a}", "loss: {name: cross_entropy, label_smoothing: 0.1}")]
    [InlineData("distill: {teachers: [runs/a, 'b c.onnx'], temperature: 20, alpha: 0.05, mean: elements}", "")]
    public void What_is_written_reads_as_the_same_run(string a, string b)
    {
        string text = RunYaml.Write(RunDescription.Parse($"{Small}{a}\n{b}\noutput: 'runs/a b'\n", "run.yml"));
        Assert.Equal(text, RunYaml.Write(RunDescription.Parse(text, "run.yaml")));
        Assert.Contains("output: 'runs/a b'", text);
        Assert.DoesNotContain("output", RunYaml.Write(RunDescription.Parse(text, "run.yaml"), withOutput: false));
    }

    [Theory]
    [InlineData("epoch: 3", "run.yml:5:1: a run has no key 'epoch' (did you mean 'epochs'?)")]
    [InlineData("batch: 0", "run.yml:5:8: expected a number of samples from 1 on, found '0'")]
    [InlineData("batch: many", "found 'many'")]
    [InlineData("optimizer: {name: sdg}", "run.yml:5:19: there is no optimizer 'sdg' here (did you mean 'sgd'?)")]
    [InlineData("optimizer: {name: sgd, beta1: 0.9}", "the optimizer sgd has no key 'beta1'")]
    [InlineData("optimizer: {name: sgd, momentum: 1}", "expected a number from 0 up to, without, 1, found '1'")]
    [InlineData("optimizer: {name: sgd, momentum: 0, nesterov: true}", "nesterov needs a momentum above 0")]
    [InlineData("optimizer: {name: adam, no_decay: 'regex:('}", "is not a regular expression")]
    [InlineData("optimizer: {momentum: 0.9}", "'name' is missing here")]
    [InlineData("schedule: {name: step}", "'every' is missing here")]
    [InlineData("schedule: {name: cosine, milestones: [1]}", "the schedule cosine has no key 'milestones'")]
    [InlineData("schedule: cosin", "did you mean 'cosine'?")]
    [InlineData("loss: {name: cosine}", "needs 'class_vectors'")]
    [InlineData("loss: {name: mse, label_smoothing: 0.1}", "this loss has no key 'label_smoothing'")]
    [InlineData("distill: {teachers: a, alpha: 1.5}", "expected a share from 0 to 1, found '1.5'")]
    [InlineData("distill: {teachers: a, temperature: 0}", "expected a number from 0.1 to 10000, found '0'")]
    [InlineData("distill: {teachers: a, mean: sum}", "expected samples or elements, found 'sum'")]
    [InlineData("distill: {temperature: 4}", "'teachers' is missing here")]
    [InlineData("distill: {teachers: []}", "expected a trained network, or a list of them")]
    [InlineData("distill: {teacher: a}", "the method kd has no key 'teacher' (did you mean 'teachers'?)")]
    [InlineData("train: some", "there is no scope 'some' here; known are splice, all")]
    [InlineData("loss: {name: entropy, target: label}", "the loss entropy has no key 'target'")]
    [InlineData("seed: 1.5", "expected a whole number, found '1.5'")]
    [InlineData("drop_last: maybe", "expected true or false")]
    [InlineData("seed: 1\nseed: 2", "stands twice")]
    [InlineData("? [a]\n: b", "a key must be a plain word")]
    public void A_mistake_is_said_with_its_place(string line, string message)
    {
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => RunDescription.Parse(Small + line, "run.yml"));
        Assert.Contains(message, e.Message);
        Assert.StartsWith("run.yml:", e.Message);
        Assert.DoesNotContain("recipe", e.Message);
    }

    [Theory]
    [InlineData("", "there is nothing here but comments or white space")]
    [InlineData("[1]", "expected a run")]
    [InlineData("model: mlp", "'data' is missing")]
    [InlineData("data: mnist\nmodel: mlp\nepochs: 3", "'lr' is missing")]
    [InlineData("data: mnist\nmodel: mlp\nlr: -1\nepochs: 3", "expected a learning rate above 0")]
    [InlineData("data: {name: mnist, augment: {flop: true}}\nmodel: mlp\nlr: 1\nepochs: 3", "did you mean 'flip'?")]
    [InlineData("data: {name: mnist, std: [0]}\nmodel: mlp\nlr: 1\nepochs: 3", "expected a number above 0, found '0'")]
    [InlineData("data: mnist\nmodel: {hidden: 3}\nlr: 1\nepochs: 3", "'name' is missing here")]
    public void What_is_no_run_is_refused(string text, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => RunDescription.Parse(text, "run.yml")).Message);

    [Fact]
    public void What_a_splice_trains_is_written_and_the_model_may_be_given_from_outside()
    {
        const string Text = "data: mnist\nlr: 0.1\nepochs: 3\n";
        Assert.Contains("'model' is missing", Assert.Throws<InvalidDataException>(() => RunDescription.Parse(Text, "run.yml")).Message);
        RunDescription plain = RunDescription.Parse(Text + "loss: entropy", "run.yml", new("mlp"));
        Assert.Equal(("mlp", null, "entropy"), (plain.Model.Name, plain.Train, plain.Loss.Name));
        Assert.DoesNotContain("train:", RunYaml.Write(plain));
        foreach (TrainScope scope in Enum.GetValues<TrainScope>())
        {
            string written = RunYaml.Write(plain with { Train = scope });
            RunDescription read = RunDescription.Parse(written, "run.yaml");
            Assert.Equal(scope, read.Train);
            Assert.Equal(written, RunYaml.Write(read));
        }

        Assert.Equal("cnn", RunDescription.Parse(Text + "model: cnn", "run.yml", new("mlp")).Model.Name);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("none.yml does not exist", Assert.Throws<FileNotFoundException>(() => RunDescription.Read(folder["none.yml"])).Message);
    }
}
