using Amalgam.Checkpoints;
using static Amalgam.Tests.Checkpoints.CheckpointFiles;
using static Amalgam.Tests.Checkpoints.PickleBytes;

namespace Amalgam.Tests.Checkpoints;

public class PyTorchLegacyTests
{
    private static readonly byte[] OneTensor = Dict("w", p => p.Tensor("FloatStorage", "7", 4, 0, [4], [1], legacy: true));

    [Fact]
    public void Reads_the_tensors_of_the_safetensors_twins()
    {
        using Checkpoint twin = Checkpoint.Open(RealData.At("models", "cnn-mnist-fashion-pair", "cnn-mnist.safetensors"));
        using Checkpoint read = Checkpoint.Open(RealData.At("models", "cnn-mnist-fashion-pair", "mnist.pth"));
        Assert.Equal("pytorch-legacy", read.Format);
        AssertSame(twin, read);

        using Checkpoint resnetTwin = Checkpoint.Open(RealData.At("models", "resnet20-cifar10", "resnet20-cifar10.safetensors"));
        using Checkpoint resnet = Checkpoint.Open(RealData.At("models", "resnet20-cifar10", "resnet20-12fca82f.th"));
        AssertSame(resnetTwin, resnet, "module.");
        Assert.Equal(["its tensors are those of its entry 'state_dict'", "left out, as it is no tensor of the model: 'best_prec1' (91.78000183105469)"], resnet.Notes);
    }

    [Fact]
    public void Reads_storages_by_key_and_views_of_them()
    {
        using TemporaryFolder folder = new();
        byte[] pickle = new PickleBytes().Op('}', '(')
            .Text("view").Tensor("FloatStorage", "b", 6, 1, [2], [1], view: [2, 3])
            .Text("long").Tensor("LongStorage", "a", 1, 0, [], [], legacy: true)
            .Op('u').Stop();
        using Checkpoint read = Checkpoint.Open(Legacy(folder["x.pt"], pickle, ["a", "b"], Counted(1, BitConverter.GetBytes(42L)), Counted(6, Floats(6))));
        Assert.Equal([3, 4], read.Values("view"));
        Assert.Equal(BitConverter.GetBytes(42L), read.Tensors[1].Bytes());
    }

    [Fact]
    public void Refuses_what_breaks_a_rule()
    {
        using TemporaryFolder folder = new();
        byte[] storage = Counted(4, Floats(4));
        AssertRefused(Legacy(folder["no key.pt"], OneTensor, []), "its list of storages does not have '7'");
        AssertRefused(Legacy(folder["stray key.pt"], OneTensor, ["8"], storage), "one that no tensor uses");
        AssertRefused(Legacy(folder["twice.pt"], OneTensor, ["7", "7"], storage, storage), "has '7' twice");
        AssertRefused(Legacy(folder["count.pt"], OneTensor, ["7"], Counted(5, Floats(5))), "has 5 elements, its tensors say 4");
        AssertRefused(Legacy(folder["cut.pt"], OneTensor, ["7"], storage[..^1]), "takes 16 bytes, 15 are left");
        AssertRefused(Legacy(folder["cut early.pt"], OneTensor, ["7"], storage[..4]), "it ends before storage '7'");
        AssertRefused(Legacy(folder["more.pt"], OneTensor, ["7"], storage, [0]), "1 bytes follow its last storage");
        AssertRefused(Legacy(folder["view.pt"], Dict("w", p => p.Tensor("FloatStorage", "7", 4, 0, [1], [1], view: [3, 2])), ["7"], storage), "a view of storage '7' does not lie inside");
        AssertRefused(Legacy(folder["two ways.pt"],
            new PickleBytes().Op('}', '(').Text("w").Tensor("FloatStorage", "7", 4, 0, [4], [1]).Text("v").Tensor("IntStorage", "7", 4, 0, [4], [1]).Op('u').Stop(), ["7"], storage), "describes storage '7' in two ways");
    }

    [Fact]
    public void Refuses_other_preambles()
    {
        using TemporaryFolder folder = new();
        byte[] sound = File.ReadAllBytes(Legacy(folder["x.pt"], OneTensor, ["7"], Counted(4, Floats(4))));
        string path = folder["y.pt"];
        File.WriteAllBytes(path, [.. sound[..15], .. new PickleBytes().Int(1002).Stop()]);
        AssertRefused(path, "its protocol is not 1001");
        File.WriteAllBytes(path, [.. sound[..15], .. new PickleBytes().Int(1001).Stop(), .. Dict("little_endian", p => p.Op(0x89))]);
        AssertRefused(path, "big-endian machine");
        File.WriteAllBytes(path, [.. "sys_info\0"u8, .. new byte[600]]);
        AssertRefused(path, "tar file of PyTorch before 0.1.10");
    }

    [Fact]
    public void Survives_random_damage()
    {
        using TemporaryFolder folder = new();
        AssertSurvivesDamage(Legacy(folder["x.pt"], OneTensor, ["7"], Counted(4, Floats(4))), 2500);
    }
}
